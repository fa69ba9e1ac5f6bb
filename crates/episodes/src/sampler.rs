use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::thread::{CpuSet, sched_getaffinity};

use crate::Sample;
use crate::channel::{CHANNEL_COUNT, CHANNELS, Source};

/// Reads every channel of the machine and of one process from procfs.
///
/// A sample costs about 20 small reads, half a millisecond in all; the files stay open. What the
/// kernel does not offer (pressure, another user's I/O) is NaN.
pub(crate) struct Sampler {
    load_stat: ProcFile,
    load_io: ProcFile,
    load_status: ProcFile,
    load_schedstat: ProcFile,
    load_fds: PathBuf,
    stat: ProcFile,
    meminfo: ProcFile,
    vmstat: ProcFile,
    loadavg: ProcFile,
    diskstats: ProcFile,
    net: ProcFile,
    pressure: [(&'static str, ProcFile); 3],
    cpus: CpuSet,
}

impl Sampler {
    /// Opens the files for the process `load`.
    ///
    /// # Errors
    /// The process is gone, or there is no procfs.
    pub(crate) fn new(load: u32) -> io::Result<Self> {
        let load = PathBuf::from(format!("/proc/{load}"));
        let pressure =
            ["cpu", "io", "memory"].map(|name| (name, ProcFile::optional(format!("/proc/pressure/{name}"))));
        Ok(Self {
            load_stat: ProcFile::required(load.join("stat"))?,
            load_io: ProcFile::optional(load.join("io")),
            load_status: ProcFile::required(load.join("status"))?,
            load_schedstat: ProcFile::optional(load.join("schedstat")),
            load_fds: load.join("fd"),
            stat: ProcFile::required("/proc/stat")?,
            meminfo: ProcFile::required("/proc/meminfo")?,
            vmstat: ProcFile::optional("/proc/vmstat"),
            loadavg: ProcFile::optional("/proc/loadavg"),
            diskstats: ProcFile::optional("/proc/diskstats"),
            net: ProcFile::optional("/proc/net/dev"),
            pressure,
            cpus: sched_getaffinity(None)?,
        })
    }

    /// Reads every channel now.
    ///
    /// # Errors
    /// The process is gone.
    pub(crate) fn sample(&mut self, t_mono_ns: u64) -> io::Result<Sample> {
        // The load first: its numbers change fastest.
        self.load_stat.read()?;
        self.load_status.read()?;
        for file in [
            &mut self.load_io,
            &mut self.load_schedstat,
            &mut self.stat,
            &mut self.meminfo,
            &mut self.vmstat,
            &mut self.loadavg,
            &mut self.diskstats,
            &mut self.net,
        ] {
            file.read_if_there();
        }
        self.pressure.iter_mut().for_each(|(_, file)| file.read_if_there());
        let mut values = [f64::NAN; CHANNEL_COUNT];
        for (value, channel) in values.iter_mut().zip(&CHANNELS) {
            *value = self.value(channel.source).unwrap_or(f64::NAN);
        }
        Ok(Sample { t_mono_ns, values })
    }

    fn value(&self, source: Source) -> Option<f64> {
        match source {
            Source::LoadStat(field) => process_field(self.load_stat.text(), field),
            Source::LoadIo(key) => keyed(self.load_io.text(), key),
            Source::LoadStatus(key) => keyed(self.load_status.text(), key),
            Source::LoadSchedstat(field) => nth(self.load_schedstat.text(), field),
            Source::LoadFds => Some(fs::read_dir(&self.load_fds).ok()?.count() as f64),
            Source::HostCpu(field) => cpu_sum(self.stat.text(), &self.cpus, field),
            Source::HostStat(key) => keyed(self.stat.text(), key),
            Source::HostMeminfo(key) => keyed(self.meminfo.text(), key),
            Source::HostVmstat(key) => keyed(self.vmstat.text(), key),
            Source::HostLoadavg(field) => nth(self.loadavg.text(), field),
            Source::HostDisk(field) => disk_sum(self.diskstats.text(), field),
            Source::HostNet(field) => net_sum(self.net.text(), field),
            Source::HostPressure(name) => {
                let (_, file) = self.pressure.iter().find(|(resource, _)| *resource == name)?;
                pressure_total(file.text())
            }
        }
    }
}

/// A procfs file that is read again and again from its start.
struct ProcFile {
    file: Option<File>,
    bytes: Vec<u8>,
}

impl ProcFile {
    fn required(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self { file: Some(File::open(path)?), bytes: Vec::new() })
    }

    fn optional(path: impl AsRef<Path>) -> Self {
        Self { file: File::open(path).ok(), bytes: Vec::new() }
    }

    fn read(&mut self) -> io::Result<()> {
        self.bytes.clear();
        let Some(file) = &self.file else { return Ok(()) };
        let mut block = [0; 4096];
        loop {
            let read = file.read_at(&mut block, self.bytes.len() as u64)?;
            self.bytes.extend_from_slice(&block[..read]);
            if read == 0 {
                return Ok(());
            }
        }
    }

    fn read_if_there(&mut self) {
        if self.read().is_err() {
            self.bytes.clear();
        }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or("")
    }
}

/// The `field`-th word, from 1.
fn nth(line: &str, field: usize) -> Option<f64> {
    line.split_ascii_whitespace().nth(field.checked_sub(1)?)?.parse().ok()
}

/// The number after `key` or `key:` at the beginning of a line.
fn keyed(text: &str, key: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| {
        let rest = line.strip_prefix(key)?;
        rest.strip_prefix(':').or_else(|| rest.starts_with(' ').then_some(rest))
    })?;
    nth(rest, 1)
}

/// A field of `/proc/<pid>/stat`. The second, the program's name in brackets, may hold anything.
fn process_field(stat: &str, field: usize) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    nth(after_name, field.checked_sub(2)?)
}

fn cpu_sum(stat: &str, cpus: &CpuSet, field: usize) -> Option<f64> {
    let allowed = stat.lines().filter(|line| {
        let number = line.strip_prefix("cpu").and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        number.is_some_and(|number| number < CpuSet::MAX_CPU && cpus.is_set(number))
    });
    sum(allowed.map(|line| nth(line, field)))
}

/// Sums whole disks: not partitions, and not what is backed by memory or by other disks.
fn disk_sum(diskstats: &str, field: usize) -> Option<f64> {
    let mut disks: Vec<&str> = Vec::new();
    sum(diskstats.lines().filter_map(|line| {
        let disk = line.split_ascii_whitespace().nth(2)?;
        let derived =
            ["loop", "ram", "zram", "dm-", "md", "sr"].iter().any(|prefix| disk.starts_with(prefix));
        // The kernel lists a disk before its partitions.
        if derived || disks.iter().any(|whole| disk.starts_with(whole)) {
            return None;
        }
        disks.push(disk);
        Some(nth(line, field))
    }))
}

fn net_sum(net: &str, field: usize) -> Option<f64> {
    let interfaces = net.lines().filter_map(|line| line.split_once(':'));
    sum(interfaces.filter(|(name, _)| name.trim() != "lo").map(|(_, counts)| nth(counts, field)))
}

/// `total=` of the line `some`: microseconds in which at least one task waited.
fn pressure_total(text: &str) -> Option<f64> {
    let some = text.lines().find(|line| line.starts_with("some"))?;
    some.split_once("total=")?.1.trim().parse().ok()
}

/// The sum, or nothing when there was nothing to add.
fn sum(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    values.flatten().fold(None, |total, value| Some(total.unwrap_or(0.0) + value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_spaces_and_brackets_does_not_shift_the_fields() {
        let stat = "7 (a) (b c) R 1 7 7 0 -1 64 101 102 103 104 105 106";
        assert_eq!(process_field(stat, 10), Some(101.0));
        assert_eq!(process_field(stat, 14), Some(105.0));
    }

    #[test]
    fn a_key_matches_whole_words_only() {
        assert_eq!(keyed("MemFreeMore: 1 kB\nMemFree:   2 kB\n", "MemFree"), Some(2.0));
        assert_eq!(keyed("pgfault_x 1\npgfault 3\n", "pgfault"), Some(3.0));
        assert_eq!(keyed("intr 5 0 0\n", "ctxt"), None);
    }

    #[test]
    fn only_the_cpus_that_the_recorder_may_use_are_counted() {
        let stat = "cpu  11 0 0\ncpu0 1 0 0\ncpu1 10 0 0\nintr 3\n";
        let mut cpus = CpuSet::new();
        cpus.set(1);
        assert_eq!(cpu_sum(stat, &cpus, 2), Some(10.0));
        cpus.set(0);
        assert_eq!(cpu_sum(stat, &cpus, 2), Some(11.0));
    }

    #[test]
    fn partitions_and_memory_disks_are_not_counted_twice() {
        let diskstats = "7 0 loop0 9 0 0\n8 0 sda 5 0 0\n8 1 sda1 4 0 0\n8 16 sdb 2 0 0\n252 0 zram0 9 0 0\n";
        assert_eq!(disk_sum(diskstats, 4), Some(7.0));
        assert_eq!(disk_sum("", 4), None);
    }

    #[test]
    fn the_loopback_is_not_network_traffic() {
        let net = "Inter-| Receive | Transmit\n face |bytes\n  lo: 9 9 0 0 0 0 0 0 9 9\n eth0: 4 1 0 0 0 0 0 0 6 1\n";
        assert_eq!(net_sum(net, 1), Some(4.0));
        assert_eq!(net_sum(net, 9), Some(6.0));
    }
}
