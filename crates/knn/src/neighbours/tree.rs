//! Boxes in boxes, for few columns.
//!
//! Rows are halved at the median of the column in which they reach furthest, down to a few. A query looks
//! into the nearer half first, and not into a box that is too far away.
//!
//! No distance to a row of a box is smaller than that to the point of the box nearest to the query: each
//! difference is at least as large, and rounding, of differences, products and sums that are taken in the
//! same order, keeps order. So there is no slack to allow for. Of boxes that are as far away as the k-th
//! neighbour, those whose rows all come after it are passed over too: of ten million equal rows, only those
//! that are found are looked at.

use super::{Among, Neighbour, Neighbours, Search, nearest::Nearest};
use crate::{
    blocks,
    distance::squared_distance,
    matrix::Matrix,
    watch::{Stopped, Watch},
};

/// Rows that are not halved any more.
const LEAF: usize = 12;
/// Queries between two looks at the watch.
const SHARE: usize = 64;

/// A search of rows with at most `WIDTH` columns.
///
/// Cost: `rows * log(rows)` comparisons to build; `4 * (WIDTH + 1)` bytes a row, and about half of that for
/// the boxes.
#[derive(Debug, Clone)]
pub struct Tree<const WIDTH: usize> {
    points: Vec<Point<WIDTH>>,
    /// A box, then all boxes of its first half, then all of its second.
    boxes: Vec<Bounds<WIDTH>>,
    /// How often rows are halved.
    depth: u32,
    columns: usize,
}

/// A row, with zeros after its last column, and its number.
#[derive(Debug, Clone, Copy)]
struct Point<const WIDTH: usize> {
    place: [f32; WIDTH],
    row: u32,
}

/// Where points are, and the first of their rows.
#[derive(Debug, Clone, Copy)]
struct Bounds<const WIDTH: usize> {
    low: [f32; WIDTH],
    high: [f32; WIDTH],
    first: u32,
}

/// A box that may have rows to find.
#[derive(Debug, Clone, Copy)]
struct Visit {
    /// No row of it comes before.
    best: Neighbour,
    node: usize,
    /// Of its points: the first, and one after the last.
    start: usize,
    end: usize,
    /// How often they are halved.
    depth: u32,
}

impl<const WIDTH: usize> Tree<WIDTH> {
    /// Builds the tree on the rayon pool. There is at least one row, of at most `WIDTH` columns.
    pub fn new(rows: &Matrix) -> Self {
        let mut points: Vec<Point<WIDTH>> =
            (0..rows.rows()).map(|row| Point { place: padded(rows.row(row)), row: row as u32 }).collect();
        let depth = points.len().div_ceil(LEAF).next_power_of_two().ilog2();
        let mut boxes = vec![Bounds::of(&[]); boxes_below(depth + 1)];
        halve(&mut points, &mut boxes, depth);
        Self { points, boxes, depth, columns: rows.columns() }
    }

    fn find(&self, among: Among<'_>, query: &[f32], k: usize, visits: &mut Vec<Visit>) -> Nearest {
        let query = padded(query);
        let mut nearest = Nearest::new(k);
        let visit = |node: usize, start, end, depth| Visit {
            best: self.boxes[node].best(&query),
            node,
            start,
            end,
            depth,
        };
        visits.push(visit(0, 0, self.points.len(), self.depth));
        while let Some(Visit { best, node, start, end, depth }) = visits.pop() {
            if !nearest.would_keep(&best) {
                continue;
            }
            if depth == 0 {
                for point in self.points[start..end].iter().filter(|point| among.has(point.row)) {
                    let squared_distance = squared_distance(&query, &point.place);
                    nearest.offer(Neighbour { squared_distance, row: point.row });
                }
                continue;
            }
            let middle = usize::midpoint(start, end);
            let first = visit(node + 1, start, middle, depth - 1);
            let second = visit(node + 1 + boxes_below(depth), middle, end, depth - 1);
            if second.best.is_nearer_than(&first.best) {
                visits.extend([first, second]);
            } else {
                visits.extend([second, first]);
            }
        }
        nearest
    }
}

impl<const WIDTH: usize> Bounds<WIDTH> {
    fn of(points: &[Point<WIDTH>]) -> Self {
        let nothing = Self { low: [f32::INFINITY; WIDTH], high: [f32::NEG_INFINITY; WIDTH], first: u32::MAX };
        points.iter().fold(nothing, |bounds, point| Self {
            low: std::array::from_fn(|column| bounds.low[column].min(point.place[column])),
            high: std::array::from_fn(|column| bounds.high[column].max(point.place[column])),
            first: bounds.first.min(point.row),
        })
    }

    /// The first row, as if it were at the nearest point inside.
    fn best(&self, query: &[f32; WIDTH]) -> Neighbour {
        let inside: [f32; WIDTH] =
            std::array::from_fn(|column| query[column].max(self.low[column]).min(self.high[column]));
        Neighbour { squared_distance: squared_distance(query, &inside), row: self.first }
    }

    /// The column in which the points reach furthest.
    fn widest(&self) -> usize {
        let reach = |column: &usize| f64::from(self.high[*column]) - f64::from(self.low[*column]);
        (0..WIDTH).max_by(|a, b| reach(a).total_cmp(&reach(b))).unwrap_or(0)
    }
}

/// Boxes of points that are halved less than `depth` times.
fn boxes_below(depth: u32) -> usize {
    (1 << depth) - 1
}

/// Puts points in the order of the tree, `boxes` around them.
fn halve<const WIDTH: usize>(points: &mut [Point<WIDTH>], boxes: &mut [Bounds<WIDTH>], depth: u32) {
    let bounds = Bounds::of(points);
    boxes[0] = bounds;
    if depth == 0 {
        return;
    }
    let column = bounds.widest();
    let middle = points.len() / 2;
    points.select_nth_unstable_by(middle, |a, b| {
        a.place[column].total_cmp(&b.place[column]).then(a.row.cmp(&b.row))
    });
    let (first, second) = points.split_at_mut(middle);
    let (of_first, of_second) = boxes[1..].split_at_mut(boxes_below(depth));
    rayon::join(|| halve(first, of_first, depth - 1), || halve(second, of_second, depth - 1));
}

fn padded<const WIDTH: usize>(row: &[f32]) -> [f32; WIDTH] {
    let mut padded = [0.0; WIDTH];
    padded[..row.len()].copy_from_slice(row);
    padded
}

impl<const WIDTH: usize> Search for Tree<WIDTH> {
    fn rows(&self) -> usize {
        self.points.len()
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn nearest_among(
        &self,
        among: Among<'_>,
        queries: &Matrix,
        k: usize,
        watch: &dyn Watch,
    ) -> Result<Neighbours, Stopped> {
        let k = among.at_most(k, self.rows());
        let found = blocks::map_of(SHARE, queries.rows(), watch, |numbers| {
            let mut visits = Vec::new();
            let mut found = Vec::with_capacity(numbers.len() * k);
            for number in numbers {
                found.extend_from_slice(self.find(among, queries.row(number), k, &mut visits).found());
            }
            found
        })?;
        Ok(Neighbours::new(found.concat(), k))
    }
}
