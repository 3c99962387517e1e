#include "names.hpp"

namespace tapedeck::rtmp {

void Names::add(const std::string& name, std::weak_ptr<Replaceable> publisher) {
    const std::lock_guard lock(mutex_);
    publishers_[name] = std::move(publisher);
}

void Names::remove(const std::string& name, const Replaceable& publisher) {
    const std::lock_guard lock(mutex_);
    const auto found = publishers_.find(name);
    if (found != publishers_.end() && found->second.lock().get() == &publisher) publishers_.erase(found);
}

bool Names::replace_silent(const std::string& name, std::chrono::microseconds limit, const std::string& newcomer) {
    std::shared_ptr<Replaceable> publisher;
    {
        const std::lock_guard lock(mutex_);
        const auto found = publishers_.find(name);
        if (found == publishers_.end()) return false;
        publisher = found->second.lock();
    }
    if (!publisher || std::chrono::steady_clock::now() - publisher->last_heard() <= limit) return false;
    publisher->replace(newcomer);
    return true;
}

}  // namespace tapedeck::rtmp
