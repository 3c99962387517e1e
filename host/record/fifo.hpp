// A queue in one block of memory that is kept, where std::deque goes to the allocator every few elements.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace tapedeck::host {

/// For elements that are cheap to move and a queue that is nearly emptied again and again.
template <class T>
class Fifo {
public:
    bool empty() const { return first_ == items_.size(); }
    T& front() { return items_[first_]; }
    const T& front() const { return items_[first_]; }
    T& back() { return items_.back(); }
    const T& back() const { return items_.back(); }
    void push_back(T item) {
        if (first_ > items_.size() / 2) {
            items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
            first_ = 0;
        }
        items_.push_back(std::move(item));
    }
    auto begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
    auto end() const { return items_.end(); }
    T pop_front() { return std::move(items_[first_++]); }

private:
    std::vector<T> items_;
    std::size_t first_ = 0;  // what lies before it was taken out
};

}  // namespace tapedeck::host
