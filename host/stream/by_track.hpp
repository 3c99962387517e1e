// Something for each track of a stream, found by the track's index.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>

namespace tapedeck::host {

/// A stream has two or three tracks and looks here for every packet, so the search is linear. Elements never move.
template <class T>
class ByTrack {
public:
    T* find(std::uint32_t track) { return const_cast<T*>(std::as_const(*this).find(track)); }
    const T* find(std::uint32_t track) const {
        for (const auto& [index, value] : all_) {
            if (index == track) return &value;
        }
        return nullptr;
    }
    T& operator[](std::uint32_t track) {
        T* known = find(track);
        return known != nullptr ? *known : all_.emplace_back(track, T{}).second;
    }
    void clear() { all_.clear(); }
    auto begin() { return all_.begin(); }
    auto end() { return all_.end(); }
    auto begin() const { return all_.begin(); }
    auto end() const { return all_.end(); }

private:
    std::deque<std::pair<std::uint32_t, T>> all_;
};

}  // namespace tapedeck::host
