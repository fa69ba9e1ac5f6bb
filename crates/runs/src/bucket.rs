use crate::Point;

/// What is drawn of the points of a span of steps: no peak is hidden, and lines enter and leave where the points do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    first: Point,
    last: Point,
    min: Point,
    max: Point,
}

impl Bucket {
    /// Of one point.
    pub fn of(point: Point) -> Self {
        Self { first: point, last: point, min: point, max: point }
    }

    /// Of the points of both. It does not matter which is joined to which, in what order, or how often.
    /// Returns whether anything changed.
    pub fn join(&mut self, other: &Self) -> bool {
        let before = *self;
        if other.first.order(&self.first).is_lt() {
            self.first = other.first;
        }
        if other.last.order(&self.last).is_gt() {
            self.last = other.last;
        }
        // Of equal values the first.
        let (low, high) = (other.min, other.max);
        if low.value.total_cmp(&self.min.value).then_with(|| low.order(&self.min)).is_lt() {
            self.min = low;
        }
        if self.max.value.total_cmp(&high.value).then_with(|| high.order(&self.max)).is_lt() {
            self.max = high;
        }
        *self != before
    }

    /// The first, the last, the least and the greatest, each once, in their order.
    pub fn points(&self) -> impl Iterator<Item = Point> + use<> {
        let mut points = [self.first, self.min, self.max, self.last];
        points.sort_unstable_by(Point::order);
        let mut before = None;
        points.into_iter().filter(move |point| before.replace(*point) != Some(*point))
    }
}
