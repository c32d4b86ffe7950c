//! The ports of listeners that serve one case each.

use std::sync::atomic::{AtomicU16, Ordering};

/// The first of the ports that belong to nobody (RFC 6335, section 6); the last is 65,535.
const FIRST: u16 = 49_152;

/// Hands out one port after the other.
///
/// Asked for any free port, the system looks for one that no connection of the last minute had, and after some thousand
/// cases it looks for long; a port that is named it gives at once. And none comes back before all others had their turn:
/// what a client sends late reaches no later case.
#[derive(Debug)]
pub(super) struct Ports {
    next: AtomicU16,
}

impl Ports {
    /// Begins where this port leads: judgements side by side have different ones.
    pub(super) fn beginning_by(port: u16) -> Self {
        Self { next: AtomicU16::new(FIRST + port % (u16::MAX - FIRST)) }
    }

    /// The next one, which somebody else may have.
    pub(super) fn next(&self) -> u16 {
        let after = |port: u16| Some(port.checked_add(1).unwrap_or(FIRST));
        self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after).unwrap_or(FIRST)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_port_comes_back_before_all_others_had_their_turn() {
        let all = usize::from(u16::MAX - FIRST) + 1;
        for port in [0, 1, 40_000, FIRST, u16::MAX] {
            let ports = Ports::beginning_by(port);
            let first = ports.next();
            let others: BTreeSet<u16> = (1..all).map(|_| ports.next()).collect();
            assert_eq!((others.len(), others.contains(&first)), (all - 1, false));
            assert!(others.iter().all(|port| *port >= FIRST));
            assert_eq!(ports.next(), first);
        }
    }
}
