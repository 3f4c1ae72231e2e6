//! jml runs the identity lifecycle: joiners, movers, leavers.

pub mod sandbox;
