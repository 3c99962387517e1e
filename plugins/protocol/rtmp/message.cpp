#include "message.hpp"

#include <cstring>

namespace tapedeck::rtmp {

void Batch::clear() {
    messages.clear();
    pieces.clear();
    kept.clear();
}

void Batch::gather(const Message& message, std::uint8_t* target) const {
    for (auto index = message.first_piece; index != Piece::none; index = pieces[index].next) {
        const auto& bytes = pieces[index].bytes;
        std::memcpy(target, bytes.data(), bytes.size());
        target += bytes.size();
    }
}

std::vector<std::uint8_t> Batch::gather(const Message& message) const {
    std::vector<std::uint8_t> payload(message.size);
    gather(message, payload.data());
    return payload;
}

}  // namespace tapedeck::rtmp
