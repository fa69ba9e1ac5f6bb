use std::collections::HashMap;
use std::sync::LazyLock;

/// How a channel's numbers are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Counts up from an arbitrary start: only differences mean something.
    Counter,
    /// A level at the moment of the sample.
    Gauge,
}

/// One measured quantity: its name in `telemetry-proc.jsonl`, how to read it and where the kernel
/// gives it.
#[derive(Debug)]
pub struct Channel {
    /// `proc.` channels are of the load, `host.` channels of the machine that it runs on. The unit
    /// is the last word, or a count where there is none. A jiffy is 10 ms.
    pub name: &'static str,
    /// Counter or gauge.
    pub reading: Reading,
    /// Whether windows have features of it. The others tell a person about the machine, and more about
    /// the machine than about what runs on it: as features they would only blur the rest.
    pub featured: bool,
    pub(crate) source: Source,
}

/// The place of a channel's number. Fields count from 1, as in the proc(5) manual pages.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    /// A field of the load's `stat`.
    LoadStat(usize),
    /// A key of the load's `io`.
    LoadIo(&'static str),
    /// A key of the load's `status`.
    LoadStatus(&'static str),
    /// A field of the load's `schedstat`.
    LoadSchedstat(usize),
    /// How many entries the load's `fd` has.
    LoadFds,
    /// A field of `/proc/stat`'s `cpuN` lines, summed over the CPUs that the recorder may run on:
    /// a recorder pinned to one core observes a machine of one core.
    HostCpu(usize),
    /// A key of `/proc/stat`.
    HostStat(&'static str),
    /// A key of `/proc/meminfo`.
    HostMeminfo(&'static str),
    /// A key of `/proc/vmstat`.
    HostVmstat(&'static str),
    /// A field of `/proc/loadavg`.
    HostLoadavg(usize),
    /// A field of `/proc/diskstats`, summed over whole disks.
    HostDisk(usize),
    /// A field after the colon in `/proc/net/dev`, summed over interfaces but the loopback.
    HostNet(usize),
    /// The `some` total of a file in `/proc/pressure`.
    HostPressure(&'static str),
}

const fn counter(name: &'static str, source: Source) -> Channel {
    Channel { name, reading: Reading::Counter, featured: true, source }
}

const fn gauge(name: &'static str, source: Source) -> Channel {
    Channel { name, reading: Reading::Gauge, featured: true, source }
}

impl Channel {
    const fn context(mut self) -> Self {
        self.featured = false;
        self
    }
}

/// Every channel, in the order of the feature table.
pub static CHANNELS: [Channel; CHANNEL_COUNT] = [
    counter("proc.cpu_user_jiffies", Source::LoadStat(14)),
    counter("proc.cpu_sys_jiffies", Source::LoadStat(15)),
    counter("proc.minor_faults", Source::LoadStat(10)),
    counter("proc.major_faults", Source::LoadStat(12)),
    counter("proc.run_ns", Source::LoadSchedstat(1)),
    counter("proc.wait_ns", Source::LoadSchedstat(2)),
    counter("proc.timeslices", Source::LoadSchedstat(3)),
    counter("proc.voluntary_switches", Source::LoadStatus("voluntary_ctxt_switches")),
    counter("proc.involuntary_switches", Source::LoadStatus("nonvoluntary_ctxt_switches")),
    counter("proc.io_read_chars", Source::LoadIo("rchar")),
    counter("proc.io_write_chars", Source::LoadIo("wchar")),
    counter("proc.io_read_calls", Source::LoadIo("syscr")),
    counter("proc.io_write_calls", Source::LoadIo("syscw")),
    counter("proc.io_read_bytes", Source::LoadIo("read_bytes")),
    counter("proc.io_write_bytes", Source::LoadIo("write_bytes")),
    counter("proc.io_cancelled_write_bytes", Source::LoadIo("cancelled_write_bytes")),
    gauge("proc.open_files", Source::LoadFds),
    gauge("proc.vm_size_kib", Source::LoadStatus("VmSize")),
    gauge("proc.rss_anon_kib", Source::LoadStatus("RssAnon")),
    gauge("proc.rss_file_kib", Source::LoadStatus("RssFile")),
    gauge("proc.page_table_kib", Source::LoadStatus("VmPTE")),
    counter("host.cpu_user_jiffies", Source::HostCpu(2)),
    counter("host.cpu_nice_jiffies", Source::HostCpu(3)).context(),
    counter("host.cpu_sys_jiffies", Source::HostCpu(4)),
    counter("host.cpu_idle_jiffies", Source::HostCpu(5)),
    counter("host.cpu_iowait_jiffies", Source::HostCpu(6)),
    counter("host.cpu_softirq_jiffies", Source::HostCpu(8)).context(),
    counter("host.cpu_steal_jiffies", Source::HostCpu(9)).context(),
    counter("host.interrupts", Source::HostStat("intr")),
    counter("host.context_switches", Source::HostStat("ctxt")),
    counter("host.forks", Source::HostStat("processes")).context(),
    gauge("host.running", Source::HostStat("procs_running")),
    gauge("host.blocked", Source::HostStat("procs_blocked")).context(),
    gauge("host.load_1m", Source::HostLoadavg(1)).context(),
    gauge("host.mem_free_kib", Source::HostMeminfo("MemFree")).context(),
    gauge("host.mem_available_kib", Source::HostMeminfo("MemAvailable")),
    gauge("host.mem_cached_kib", Source::HostMeminfo("Cached")).context(),
    gauge("host.mem_anon_kib", Source::HostMeminfo("AnonPages")).context(),
    gauge("host.mem_dirty_kib", Source::HostMeminfo("Dirty")).context(),
    gauge("host.mem_writeback_kib", Source::HostMeminfo("Writeback")).context(),
    counter("host.page_faults", Source::HostVmstat("pgfault")),
    counter("host.major_faults", Source::HostVmstat("pgmajfault")).context(),
    counter("host.pages_allocated", Source::HostVmstat("pgalloc_normal")).context(),
    counter("host.pages_freed", Source::HostVmstat("pgfree")).context(),
    counter("host.pages_dirtied", Source::HostVmstat("nr_dirtied")),
    counter("host.paged_in_kib", Source::HostVmstat("pgpgin")).context(),
    counter("host.paged_out_kib", Source::HostVmstat("pgpgout")).context(),
    counter("host.disk_reads", Source::HostDisk(4)).context(),
    counter("host.disk_read_sectors", Source::HostDisk(6)).context(),
    counter("host.disk_writes", Source::HostDisk(8)).context(),
    counter("host.disk_write_sectors", Source::HostDisk(10)),
    counter("host.disk_busy_ms", Source::HostDisk(13)).context(),
    counter("host.net_received_bytes", Source::HostNet(1)).context(),
    counter("host.net_sent_bytes", Source::HostNet(9)).context(),
    counter("host.pressure_cpu_us", Source::HostPressure("cpu")),
    counter("host.pressure_io_us", Source::HostPressure("io")).context(),
    counter("host.pressure_memory_us", Source::HostPressure("memory")).context(),
];

/// How many channels there are.
pub const CHANNEL_COUNT: usize = 57;

/// How many channels windows have features of.
pub(crate) const FEATURED_COUNT: usize = {
    let (mut at, mut count) = (0, 0);
    while at < CHANNEL_COUNT {
        count += CHANNELS[at].featured as usize;
        at += 1;
    }
    count
};

static POSITIONS: LazyLock<HashMap<&'static str, usize>> =
    LazyLock::new(|| CHANNELS.iter().enumerate().map(|(at, channel)| (channel.name, at)).collect());

/// Where a channel of this name stands in [`CHANNELS`].
pub(crate) fn position(name: &str) -> Option<usize> {
    POSITIONS.get(name).copied()
}
