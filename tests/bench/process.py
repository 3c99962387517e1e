"""What a process and its children have used so far, told by the kernel."""
import os
import time


def family(pid):
    """The process and all that descend from it."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat:
                parents[int(entry)] = int(stat.read().rpartition(")")[2].split()[1])
        except OSError:
            pass  # it ended meanwhile
    members = {pid}
    while more := {child for child, parent in parents.items() if parent in members} - members:
        members |= more
    return members


def cpu_seconds(pid):
    """User and system time of all threads alive, to the nanosecond, and of children that ended."""
    total = 0.0
    for member in family(pid):
        try:
            for thread in os.listdir(f"/proc/{member}/task"):
                with open(f"/proc/{member}/task/{thread}/schedstat") as schedstat:
                    total += int(schedstat.read().split()[0]) / 1e9
            with open(f"/proc/{member}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
            total += (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            pass
    return total


def all_cpu_seconds(pid):
    """User and system time of one process with its threads that ended, to a tick of the clock."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _sum(pid, file, key):
    total = 0
    for member in family(pid):
        try:
            with open(f"/proc/{member}/{file}") as lines:
                total += sum(int(line.split()[1]) for line in lines if line.startswith(key + ":"))
        except OSError:
            pass
    return total


def rss_kb(pid):
    return _sum(pid, "status", "VmRSS")


def peak_kb(pid):
    return _sum(pid, "status", "VmHWM")


def written(pid):
    """(bytes handed to write calls, bytes of pages made dirty)"""
    return _sum(pid, "io", "wchar"), _sum(pid, "io", "write_bytes")


def settle(pid, quiet=0.7, limit=60):
    """Waits until the process has used no CPU to speak of for `quiet` seconds."""
    end = time.monotonic() + limit
    last, since = cpu_seconds(pid), time.monotonic()
    while time.monotonic() < end and time.monotonic() - since < quiet:
        time.sleep(0.1)
        now = cpu_seconds(pid)
        if now > last + 0.01:
            last, since = now, time.monotonic()


def table(head, rows):
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * w for w in widths], *rows]:
        print("| " + " | ".join(str(cell).ljust(w) for cell, w in zip(row, widths)) + " |")
