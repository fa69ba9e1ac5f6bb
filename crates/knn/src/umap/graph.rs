use std::cmp::Ordering;

use rayon::prelude::*;

use crate::neighbours::{Neighbour, Neighbours};

/// What an edge between two phases keeps of its weight: `exp(-2.5 / (1 - w))` for a target weight `w` of a
/// half.
const BETWEEN_PHASES: f32 = 0.006_737_947;
/// Halvings that find the scale of a row.
const HALVINGS: usize = 64;
/// The scale of a row is at least this share of its mean distance.
const LEAST_SCALE: f64 = 1e-3;

/// A fuzzy graph: how much each row belongs to others, from 0 to 1. As much as they belong to it.
pub(super) struct Graph {
    /// Rising by `to`.
    edges: Vec<Vec<Edge>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    pub(super) to: u32,
    pub(super) weight: f32,
}

/// How much a window belongs to its neighbours, which are nearest first, and of which those up to
/// `surely` away are its own with weight 1.
///
/// The further ones fade with a scale for which all weights add up to the logarithm of `k` to base 2.
pub(super) fn memberships(neighbours: &[Neighbour], surely: f64, k: usize) -> Vec<Edge> {
    let distances = || neighbours.iter().map(|neighbour| neighbour.squared_distance.sqrt());
    let weight = |distance: f64, scale: f64| {
        if distance <= surely { 1.0 } else { (-(distance - surely) / scale).exp() }
    };
    let wanted = (k as f64).log2();
    let mean = distances().sum::<f64>() / neighbours.len().max(1) as f64;
    let (mut low, mut high, mut scale) = (0.0, f64::INFINITY, if mean > 0.0 { mean } else { 1.0 });
    for _ in 0..HALVINGS {
        let sum: f64 = distances().map(|distance| weight(distance, scale)).sum();
        if sum > wanted {
            high = scale;
        } else {
            low = scale;
        }
        scale = if high.is_finite() { f64::midpoint(low, high) } else { 2.0 * scale };
    }
    let scale = scale.max(LEAST_SCALE * mean);
    let edge = |(neighbour, distance): (&Neighbour, f64)| Edge {
        to: neighbour.row,
        weight: weight(distance, scale) as f32,
    };
    neighbours.iter().zip(distances()).map(edge).collect()
}

impl Graph {
    /// The graph of rows that were looked for among themselves, `k` neighbours each, themselves included.
    pub(super) fn of(found: &Neighbours, k: usize) -> Self {
        let found: Vec<&[Neighbour]> = found.iter().collect();
        let edges = found.into_par_iter().enumerate().map(|(row, found)| {
            let mut others: Vec<Neighbour> =
                found.iter().filter(|neighbour| neighbour.row as usize != row).copied().collect();
            // Of many equal rows, a row may not be among its own nearest.
            others.truncate(k - 1);
            let nearest = others.iter().find(|neighbour| neighbour.squared_distance > 0.0);
            let nearest = nearest.map_or(0.0, |nearest| nearest.squared_distance.sqrt());
            let mut edges = memberships(&others, nearest, k);
            edges.sort_unstable_by_key(|edge| edge.to);
            edges
        });
        Self { edges: edges.collect() }.united()
    }

    /// Edges between phases are weakened, and every row then held as firmly as before.
    pub(super) fn supervised(mut self, phases: &[u8]) -> Self {
        self.edges.par_iter_mut().enumerate().for_each(|(row, edges)| {
            for edge in edges.iter_mut().filter(|edge| phases[edge.to as usize] != phases[row]) {
                edge.weight *= BETWEEN_PHASES;
            }
            let most = edges.iter().map(|edge| edge.weight).fold(0.0, f32::max);
            if most > 0.0 {
                edges.iter_mut().for_each(|edge| edge.weight /= most);
            }
        });
        self.united()
    }

    /// Weights up to 1, without edges too weak to be drawn once in so many epochs.
    pub(super) fn pruned(mut self, epochs: u32) -> Self {
        let most = self.edges.iter().flatten().map(|edge| edge.weight).fold(0.0, f32::max);
        self.edges.par_iter_mut().for_each(|edges| {
            edges.iter_mut().for_each(|edge| edge.weight /= most);
            edges.retain(|edge| edge.weight * epochs as f32 >= 1.0);
        });
        self
    }

    pub(super) fn edges_of(&self, row: usize) -> &[Edge] {
        &self.edges[row]
    }

    /// The fuzzy union with the graph in which all edges are turned round: `a + b - a b`.
    fn united(self) -> Self {
        let mut turned: Vec<Vec<Edge>> = vec![Vec::new(); self.edges.len()];
        for (row, edges) in self.edges.iter().enumerate() {
            for edge in edges {
                turned[edge.to as usize].push(Edge { to: row as u32, weight: edge.weight });
            }
        }
        let edges = self.edges.par_iter().zip(&turned).map(|(own, turned)| union(own, turned));
        Self { edges: edges.collect() }
    }
}

/// Of two lists that rise, a list that rises.
fn union(a: &[Edge], b: &[Edge]) -> Vec<Edge> {
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    let mut edges = Vec::new();
    loop {
        let order = match (a.peek(), b.peek()) {
            (Some(a), Some(b)) => a.to.cmp(&b.to),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return edges,
        };
        let both = match order {
            Ordering::Less => (a.next(), None),
            Ordering::Greater => (b.next(), None),
            Ordering::Equal => (a.next(), b.next()),
        };
        match both {
            (Some(a), Some(b)) => {
                edges.push(Edge { to: a.to, weight: a.weight + b.weight - a.weight * b.weight });
            }
            (one, _) => edges.extend(one),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(distances: &[f64]) -> Vec<Neighbour> {
        (0..).zip(distances).map(|(row, d)| Neighbour { squared_distance: d * d, row }).collect()
    }

    #[test]
    fn weights_fall_with_the_distance_and_add_up_to_the_logarithm() {
        let neighbours = at(&(1..30).map(|i| f64::from(i).sqrt()).collect::<Vec<_>>());
        let weights = memberships(&neighbours, 1.0, 30);
        assert_eq!(weights[0].weight, 1.0);
        assert!(weights.is_sorted_by(|a, b| a.weight > b.weight));
        let sum: f32 = weights.iter().map(|edge| edge.weight).sum();
        assert!((sum - 30_f32.log2()).abs() < 1e-4, "{sum}");
    }

    #[test]
    fn equal_rows_belong_to_each_other_wholly() {
        assert!(memberships(&at(&[0.0; 9]), 0.0, 10).iter().all(|edge| edge.weight == 1.0));
        assert!(memberships(&[], 0.0, 10).is_empty());
    }

    #[test]
    fn a_graph_is_the_same_from_both_ends() {
        let found = [(0, 0.0), (1, 1.0), (1, 0.0), (2, 0.5), (2, 0.0), (1, 0.5)];
        let found = found.map(|(row, squared_distance)| Neighbour { squared_distance, row }).to_vec();
        let graph = Graph::of(&Neighbours::new(found, 2), 2).supervised(&[0, 0, 1]);
        for row in 0..3 {
            for edge in graph.edges_of(row) {
                let back = Edge { to: row as u32, weight: edge.weight };
                assert!(graph.edges_of(edge.to as usize).contains(&back));
            }
        }
    }
}
