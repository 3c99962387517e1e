"""File systems of a size that tests choose; everything mounted is unmounted by the test's clean-up. In a user's namespace
(case.run) a tmpfs may be mounted, an ext4 by root alone."""
import subprocess


def _mount(*arguments):
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stderr.strip()}; run this test as root, in a container with CAP_SYS_ADMIN"


def _mounted(test, folder):
    # Lazily: a server that still has files there must not keep a broken test from ending.
    test.addCleanup(subprocess.run, ["umount", "-l", str(folder)], capture_output=True)
    return folder


def tmpfs(test, folder, megabytes):
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tapedeck-test", folder)
    return _mounted(test, folder)


def ext4(test, folder, megabytes):
    image = folder.with_name(folder.name + ".img")
    with open(image, "wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True, capture_output=True)
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-o", "loop", image, folder)
    return _mounted(test, folder)


def fail_ext4(folder):
    """What the kernel does when the disk below has an error: every write fails with EROFS from now on."""
    _mount("-o", "remount,abort", folder)


def repair_ext4(folder):
    """Checks the failed file system and mounts it again, as an operator would. Nothing may have files open there."""
    image = folder.with_name(folder.name + ".img")
    subprocess.run(["umount", str(folder)], check=True)
    subprocess.run(["e2fsck", "-fy", str(image)], capture_output=True)
    _mount("-o", "loop", image, folder)
