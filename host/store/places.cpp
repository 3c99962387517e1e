#include "store/places.hpp"

namespace tapedeck::host {

std::shared_ptr<const void> Places::hold() {
    const std::lock_guard lock(mutex_);
    ++holds_;
    return {this, [self = shared_from_this()](const void*) {
                const std::lock_guard ending(self->mutex_);
                --self->holds_;
            }};
}

bool Places::change(const std::function<void()>& move) {
    const std::lock_guard lock(mutex_);
    if (holds_ != 0) return false;
    ++changes_;
    move();
    return true;
}

std::uint64_t Places::changes() const {
    const std::lock_guard lock(mutex_);
    return changes_;
}

}  // namespace tapedeck::host
