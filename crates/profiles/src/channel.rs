/// What is shown of a profile: the channel that tells its load apart from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// As in `telemetry-proc.jsonl`.
    pub channel: &'static str,
    /// Of the values that are shown: of a counter, its rate's.
    pub unit: &'static str,
}

/// The channel of a profile. One that is not known here is shown by what any load does: it computes.
pub const fn measured(profile: &str) -> Measured {
    let (channel, unit) = match profile.as_bytes() {
        // Not bytes written: what a walk reads comes out of the page cache, and nothing is written.
        b"io-walk" => ("proc.cpu_sys_jiffies", "jiffies/s"),
        // Its bursts are too short for the scheduler's ticks.
        b"low-and-slow" => ("proc.run_ns", "ns/s"),
        b"mem-walk" => ("proc.minor_faults", "faults/s"),
        b"idle" => ("proc.voluntary_switches", "switches/s"),
        _ => ("proc.cpu_user_jiffies", "jiffies/s"),
    };
    Measured { channel, unit }
}
