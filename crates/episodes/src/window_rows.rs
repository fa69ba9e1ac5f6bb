use crate::table::Column;
use crate::windower::{FEATURE_COUNT, Window, feature_names};

/// Rows of the window table that are not written yet, column by column.
pub(crate) struct WindowRows {
    features: Vec<Vec<f32>>,
    phase: Vec<i32>,
    window_idx: Vec<i32>,
    t_s: Vec<f64>,
    ids: [Vec<String>; 3],
}

impl Default for WindowRows {
    fn default() -> Self {
        Self {
            features: vec![Vec::new(); FEATURE_COUNT],
            phase: Vec::new(),
            window_idx: Vec::new(),
            t_s: Vec::new(),
            ids: Default::default(),
        }
    }
}

impl WindowRows {
    pub(crate) fn len(&self) -> usize {
        self.phase.len()
    }

    /// Appends a window of the episode with these ids: episode, host, profile.
    pub(crate) fn push(&mut self, ids: [&String; 3], window: &Window) {
        for (column, value) in self.features.iter_mut().zip(&window.features) {
            column.push(*value);
        }
        self.phase.push(i32::from(window.phase.code()));
        self.window_idx.push(i32::try_from(window.idx).unwrap_or(i32::MAX));
        self.t_s.push(window.t_s);
        for (column, id) in self.ids.iter_mut().zip(ids) {
            column.push(id.clone());
        }
    }

    pub(crate) fn columns(self) -> Vec<(String, Column)> {
        let features = feature_names().zip(self.features.into_iter().map(Column::Float));
        let [episode_id, host_id, profile] = self.ids.map(Column::text);
        let rest = [
            ("phase", Column::Int(self.phase)),
            ("episode_id", episode_id),
            ("host_id", host_id),
            ("profile", profile),
            ("window_idx", Column::Int(self.window_idx)),
            ("t_s", Column::Double(self.t_s)),
        ];
        features.chain(rest.map(|(name, column)| (name.to_owned(), column))).collect()
    }
}
