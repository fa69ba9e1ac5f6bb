use episodes::Profile;

/// The channel that a profile is shown by, as in `telemetry-proc.jsonl`: the one that tells its load apart from others. A
/// profile that is not known here is shown by what any load does: it computes.
pub fn channel(profile: &str) -> &'static str {
    match profile.parse() {
        // Not bytes written: what a walk reads comes out of the page cache, and nothing is written.
        Ok(Profile::IoWalk) => "proc.cpu_sys_jiffies",
        // Its bursts are too short for the scheduler's ticks.
        Ok(Profile::LowAndSlow) => "proc.run_ns",
        Ok(Profile::MemWalk) => "proc.minor_faults",
        Ok(Profile::Idle) => "proc.voluntary_switches",
        Ok(Profile::CpuSaturate | Profile::Bursty) | Err(_) => "proc.cpu_user_jiffies",
    }
}

/// The unit of a channel's values as they are shown: of a counter, its rate's.
pub(crate) fn unit(channel: &str) -> &'static str {
    match channel {
        "proc.cpu_sys_jiffies" | "proc.cpu_user_jiffies" => "jiffies/s",
        "proc.run_ns" => "ns/s",
        "proc.minor_faults" => "faults/s",
        "proc.voluntary_switches" => "switches/s",
        _ => "",
    }
}
