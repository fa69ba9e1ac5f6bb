use std::{
    fs, io,
    path::{Path, PathBuf},
};

use command::Failure;

/// Files that are going to be written, none over another and none over an input.
pub(crate) struct Outputs {
    /// Places that are taken, and by what.
    taken: Vec<(PathBuf, String)>,
}

impl Outputs {
    /// Nothing is written over these.
    pub(crate) fn beside<'a>(inputs: impl IntoIterator<Item = &'a PathBuf>) -> Self {
        // Where an input lies and, behind a link, what it is.
        let places = inputs.into_iter().flat_map(|input| [place(input), fs::canonicalize(input)]).flatten();
        Self { taken: places.map(|place| (place, "is an input".to_owned())).collect() }
    }

    /// Says before an hour of work, not after it, that its result has nowhere to go.
    pub(crate) fn claim(&mut self, flag: &str, path: Option<&PathBuf>) -> Result<(), Failure> {
        let Some(path) = path else { return Ok(()) };
        let refused = |why: &str| Err(Failure::usage(format!("{flag} {}: {why}", path.display())));
        if path.is_dir() {
            return refused("is a folder, expected a file");
        }
        let Ok(place) = place(path) else { return refused("the folder does not exist") };
        if let Some((_, why)) = self.taken.iter().find(|(taken, _)| *taken == place) {
            return refused(why);
        }
        self.taken.push((place, format!("is the file of {flag} too")));
        Ok(())
    }
}

/// Where a file of this path is or would be, however the path is spelt.
fn place(path: &Path) -> io::Result<PathBuf> {
    // With a dot behind it, also no name at all is a folder, and a file is none.
    let folder = path.parent().unwrap_or(Path::new("")).join(".");
    Ok(fs::canonicalize(folder)?.join(path.file_name().unwrap_or_default()))
}
