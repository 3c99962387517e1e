// Ways to give a file another name, such that a crash at any moment leaves it whole under the old name or the new.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace tapedeck::local {

enum class Moved {
    done,
    taken,       ///< a file of the new name exists and is not to be replaced
    unsupported  ///< this file system, or this pair of them, cannot do it this way
};

/// What went wrong with a file or folder, for people: the cause, the user who lacks a right, what to do. Throws
/// Error; lack of space is TD_NO_SPACE. All but names that no file system takes may be tried again.
[[noreturn]] void fail(const std::string& action, const std::filesystem::path& path, int cause);

/// The three ways within one file system. Each throws Error where none could help.
Moved rename_over(const std::filesystem::path& from, const std::filesystem::path& to);        ///< replaces
Moved rename_no_replace(const std::filesystem::path& from, const std::filesystem::path& to);  ///< RENAME_NOREPLACE
/// By a second link, for file systems without RENAME_NOREPLACE (NFS). A crash between the two steps leaves both names;
/// `is_same_file` knows them.
Moved link_and_remove(const std::filesystem::path& from, const std::filesystem::path& to);
/// For file systems without links too (FAT): an empty file holds the name first.
Moved reserve_and_rename(const std::filesystem::path& from, const std::filesystem::path& to);

/// Tries these ways in turn. `unsupported`: the two lie on different file systems.
Moved move_within(const std::filesystem::path& from, const std::filesystem::path& to, bool replace);

/// From another file system: a hidden copy beside the target, synced, given its name, then `from` is removed.
/// Stops with TD_CANCELLED when `cancelled()` says so between two pieces of the copy; nothing is left of it then.
Moved move_across(const std::filesystem::path& from, const std::filesystem::path& to, bool replace,
                  const std::function<bool()>& cancelled);

/// Whether the two paths name one and the same entry of one folder, however they are written.
bool is_same_entry(const std::filesystem::path& one, const std::filesystem::path& other);

/// Whether a crash left both: the same file under two names, or a copy whose original was not removed yet (size, time
/// of change and every byte are equal).
bool is_same_file(const std::filesystem::path& one, const std::filesystem::path& other);

/// What was renamed or made in this folder is on the disk afterwards.
void sync_folder(const std::filesystem::path& folder);

/// Makes the folder and those above it, each synced into the one above.
void make_folders(const std::filesystem::path& folder);

}  // namespace tapedeck::local
