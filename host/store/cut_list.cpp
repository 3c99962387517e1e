#include "store/cut_list.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "store/descriptor.hpp"

namespace tapedeck::host {
namespace {

namespace fs = std::filesystem;

void write_all(const fs::path& file, int flags, std::string_view text) {
    const Descriptor opened(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644));
    if (opened.number < 0) throw_errno("open " + file.string(), errno);
    while (!text.empty()) {
        const ssize_t wrote = ::write(opened.number, text.data(), text.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) throw_errno("write " + file.string(), errno);
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
}

template <class Number>
bool take_number(std::string_view& line, Number& number) {
    const auto [end, failure] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (failure != std::errc() || end == line.data() + line.size() || *end != '\t') return false;
    line.remove_prefix(static_cast<std::size_t>(end - line.data()) + 1);
    return true;
}

}  // namespace

std::optional<FileVersion> version_of(const struct stat& facts) {
    if (!S_ISREG(facts.st_mode)) return {};
    return FileVersion{static_cast<std::uint64_t>(facts.st_size),
                       facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec};
}

std::optional<FileVersion> version_of(const fs::path& file) {
    struct stat facts {};
    if (::stat(file.c_str(), &facts) != 0) return {};
    return version_of(facts);
}

std::optional<FileVersion> version_of(int descriptor) {
    struct stat facts {};
    if (::fstat(descriptor, &facts) != 0) return {};
    return version_of(facts);
}

std::string format_cut(const std::string& asked, const KnownCut& cut) {
    return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}", cut.used_us, cut.source.size, cut.source.modified_ns,
                       cut.part.size, cut.part.modified_ns, cut.file, asked);
}

std::optional<NamedCut> parse_cut(std::string_view line) {
    NamedCut found;
    KnownCut& cut = found.cut;
    const bool numbers = take_number(line, cut.used_us) && take_number(line, cut.source.size) &&
                         take_number(line, cut.source.modified_ns) && take_number(line, cut.part.size) &&
                         take_number(line, cut.part.modified_ns);
    const auto tab = line.find('\t');
    if (!numbers || tab == 0 || tab == std::string_view::npos || tab + 1 == line.size()) return {};
    cut.file = line.substr(0, tab);
    found.asked = line.substr(tab + 1);
    return found;
}

CutList::CutList(fs::path file) : file_(std::move(file)) {
    std::ifstream in(file_, std::ios::binary);
    std::size_t lines = 0;
    for (std::string line; std::getline(in, line); ++lines) {
        if (const auto found = parse_cut(line)) keep(found->asked, found->cut);
    }
    if (lines <= 2 * cuts_.size()) return;
    try {
        save();
    } catch (const Error& failure) {  // a list that stays long is no reason not to start
        log::warning("{}", failure.what());
    }
}

const KnownCut* CutList::find(const std::string& asked) const {
    const auto found = cuts_.find(asked);
    return found == cuts_.end() ? nullptr : &found->second;
}

void CutList::add(const std::string& asked, const KnownCut& cut) {
    write_all(file_, O_APPEND, format_cut(asked, cut) + '\n');
    keep(asked, cut);
}

void CutList::keep(const std::string& asked, const KnownCut& cut) {
    remove(asked);
    cuts_.emplace(asked, cut);
    bytes_ += cut.part.size;
}

void CutList::touch(const std::string& asked, std::int64_t now_us) {
    if (const auto found = cuts_.find(asked); found != cuts_.end()) found->second.used_us = now_us;
}

void CutList::remove(const std::string& asked) {
    const auto found = cuts_.find(asked);
    if (found == cuts_.end()) return;
    bytes_ -= found->second.part.size;
    cuts_.erase(found);
}

void CutList::save() const {
    std::string text;
    for (const auto& [asked, cut] : cuts_) text += format_cut(asked, cut) + '\n';
    const fs::path fresh = file_.string() + ".new";
    write_all(fresh, O_TRUNC, text);
    if (::rename(fresh.c_str(), file_.c_str()) != 0) throw_errno("rename " + fresh.string(), errno);
}

}  // namespace tapedeck::host
