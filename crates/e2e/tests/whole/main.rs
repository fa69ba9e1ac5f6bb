//! The system as its users meet it: its commands, run as processes, talking over loopback.

mod arrows;
