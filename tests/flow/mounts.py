"""File systems of a size that tests choose. Needs root; everything mounted is unmounted by the test's clean-up."""
import subprocess


def _mounted(test, folder):
    # Lazily: a server that still has files there must not keep a broken test from ending.
    test.addCleanup(subprocess.run, ["umount", "-l", str(folder)], capture_output=True)
    return folder


def tmpfs(test, folder, megabytes):
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tapedeck-test", str(folder)], check=True)
    return _mounted(test, folder)


def ext4(test, folder, megabytes):
    image = folder.with_name(folder.name + ".img")
    with open(image, "wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", str(image)], check=True, capture_output=True)
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True)
    return _mounted(test, folder)


def make_read_only(folder):
    """As the kernel does after an error: writes to open files fail from now on."""
    subprocess.run(["mount", "-o", "remount,ro,force", str(folder)], check=True)
