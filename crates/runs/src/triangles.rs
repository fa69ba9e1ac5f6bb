use crate::Point;

/// Largest triangle three buckets (Steinarsson, "Downsampling Time Series for Visual Representation", 2013): of each of
/// as many buckets with as many points, the one that makes the largest triangle with the point taken before it and the
/// mean of the bucket after it. The first and the last point stay. As in ClickHouse's `lttb`.
pub(crate) fn triangles(points: &[Point], most: usize) -> Vec<Point> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return vec![] };
    if points.len() <= most || most < 3 {
        return points.iter().take(most).copied().collect();
    }
    let width = (points.len() - 2) as f64 / (most - 2) as f64;
    let start = |bucket: usize| ((bucket as f64 * width).floor() as usize + 1).min(points.len() - 1);
    let (mut taken, mut before) = (vec![*first], *first);
    for bucket in 0..most - 2 {
        let next = &points[start(bucket + 1)..start(bucket + 2).max(start(bucket + 1) + 1).min(points.len())];
        let count = next.len() as f64;
        let step = next.iter().map(|point| point.step as f64).sum::<f64>() / count;
        let value = next.iter().map(|point| point.value).sum::<f64>() / count;
        let from = (before.step as f64, before.value);
        let twice_area = |point: &Point| {
            ((from.0 - step) * (point.value - from.1) - (from.0 - point.step as f64) * (value - from.1)).abs()
        };
        let largest = points[start(bucket)..start(bucket + 1)].iter();
        let largest =
            largest.max_by(|one, other| twice_area(one).total_cmp(&twice_area(other)).then(other.order(one)));
        before = *largest.unwrap_or(&before);
        taken.push(before);
    }
    taken.push(*last);
    taken
}
