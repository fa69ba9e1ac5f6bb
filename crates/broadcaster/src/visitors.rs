use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Connections by the address that they come from, so that one client does not take all places.
///
/// This machine is not counted: behind a proxy everybody comes from here. Nor is it told apart who has which
/// address of one IPv6 network (/64): these are handed out by networks.
#[derive(Debug)]
pub(crate) struct Visitors {
    limit: u32,
    connections: Mutex<HashMap<IpAddr, u32>>,
}

/// A connection, counted for as long as this is held.
#[derive(Debug)]
pub(crate) struct Visit(Option<(Arc<Visitors>, IpAddr)>);

impl Visitors {
    pub(crate) fn new(limit: u32) -> Arc<Self> {
        Arc::new(Self { limit, connections: Mutex::default() })
    }

    /// Counts a connection in; `None` if there are as many as may be from its address.
    pub(crate) fn admit(self: &Arc<Self>, from: IpAddr) -> Option<Visit> {
        let from = from.to_canonical();
        if from.is_loopback() {
            return Some(Visit(None));
        }
        let from = network(from);
        // A count is whole at every moment: there is nothing to poison.
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let count = connections.entry(from).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Visit(Some((self.clone(), from))))
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let Some((visitors, from)) = &self.0 else { return };
        let mut connections = visitors.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = connections.entry(*from) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_connections_and_others_have_theirs() {
        let visitors = Visitors::new(2);
        let admit = |address: &str| visitors.admit(address.parse().unwrap());
        let held = (admit("192.0.2.1"), admit("::ffff:192.0.2.1"));
        assert!(held.0.is_some() && held.1.is_some());
        assert!(admit("192.0.2.1").is_none());
        assert!(admit("192.0.2.2").is_some());
        drop(held);
        assert!(admit("192.0.2.1").is_some());
        assert!(visitors.connections.lock().unwrap().is_empty(), "who left is forgotten");
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_this_machine_is_none() {
        let visitors = Visitors::new(1);
        let admit = |address: &str| visitors.admit(address.parse().unwrap());
        let _first = admit("2001:db8::1");
        assert!(admit("2001:db8::2").is_none());
        let _other = admit("2001:db8:0:1::1").unwrap();
        let _here: Vec<_> = (0..10).map(|_| admit("127.0.0.1").unwrap()).collect();
    }
}
