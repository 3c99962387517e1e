// What kind of file system a file lies on.
#pragma once

namespace tapedeck::host {

/// Other: a network, FUSE or one that lies over others; what it promises is not known.
enum class FileSystem { Disk, Memory, Other };

/// Of an open file. May wait for the network: not for threads that must not wait.
FileSystem file_system_of(int descriptor);

}  // namespace tapedeck::host
