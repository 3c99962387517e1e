#include "store/reserve.hpp"

#include <fcntl.h>

#include <cerrno>

namespace tapedeck::host {

Reserve::Reserve(const std::filesystem::path& folder) {
    const int number = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (number < 0) return;
    file_.emplace(number);
    grow(0);
}

void Reserve::keep(std::uint64_t written) {
    constexpr std::uint64_t least = 128 << 10, step = 4 << 20;
    next_growth_ = written + step;
    const std::uint64_t wanted = (least + next_growth_ / 64) & ~std::uint64_t{0xffff};
    if (wanted <= kept_) return;
    if (::fallocate(file_->number, 0, 0, static_cast<off_t>(wanted)) == 0) {
        kept_ = wanted;
    } else if (errno != ENOSPC && errno != EDQUOT && errno != EINTR) {
        file_.reset();
    }
}

}  // namespace tapedeck::host
