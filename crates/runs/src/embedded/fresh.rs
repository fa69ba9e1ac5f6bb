use crate::Point;

/// Bytes of a point.
const POINT: usize = 24;

/// Appends points of a series as they are kept until they are in blocks: the series and how many, then a step, a value and a
/// time each, little-endian.
pub(super) fn encode(bytes: &mut Vec<u8>, series: u32, points: &[Point]) {
    bytes.extend(series.to_le_bytes());
    bytes.extend((points.len() as u32).to_le_bytes());
    bytes.reserve(POINT * points.len());
    for point in points {
        bytes.extend(point.step.to_le_bytes());
        bytes.extend(point.value.to_le_bytes());
        bytes.extend(point.time_ms.to_le_bytes());
    }
}

/// Reads them back; `None` where they are cut short.
pub(super) fn decode(mut bytes: &[u8], mut take: impl FnMut(u32, Vec<Point>)) -> Option<()> {
    while !bytes.is_empty() {
        let (series, rest) = bytes.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (points, rest) = rest.split_at_checked(u32::from_le_bytes(*count) as usize * POINT)?;
        let number = |point: &[u8], at: usize| point[at..].first_chunk().copied().unwrap_or_default();
        let point = |bytes: &[u8]| Point {
            step: u64::from_le_bytes(number(bytes, 0)),
            value: f64::from_le_bytes(number(bytes, 8)),
            time_ms: i64::from_le_bytes(number(bytes, 16)),
        };
        take(u32::from_le_bytes(*series), points.chunks_exact(POINT).map(point).collect());
        bytes = rest;
    }
    Some(())
}
