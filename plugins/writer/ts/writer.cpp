#include "writer.hpp"

#include <string>

#include "file_source.hpp"
#include "scanner.hpp"

namespace tapedeck::ts {
namespace {

// A host that is late with `flush` gets its bytes into the file all the same, before they grow out of bounds.
constexpr std::size_t most_pending_bytes = 32 << 20;

}  // namespace

void TsWriter::open(File file, const td_recording& recording, std::span<const td_track* const> tracks) {
    muxer_.emplace(view(recording.memo), tracks);
    file_ = file;
}

void TsWriter::track(const td_track& track) {
    if (muxer_->has(track.index)) return muxer_->change(track);
    muxer_->add(track);
}

void TsWriter::write(const td_packet& packet) {
    if ((packet.flags & TD_PACKET_CONFIG_CHANGED) != 0 && packet.changed != nullptr) track(*packet.changed);
    if (muxer_->size() + packet.data_size > most_pending_bytes) flush();
    muxer_->write(packet);
}

void TsWriter::flush() {
    if (muxer_->is_empty()) return;
    const ByteSpan bytes = muxer_->take();
    try {
        file_.write(end_, std::array{td_bytes{bytes.data(), bytes.size()}});
    } catch (const Error&) {
        muxer_->lost();  // they are not tried again: what follows takes their place
        throw;
    }
    end_ += bytes.size();
    muxer_->written();
}

void TsWriter::finish() {
    if (muxer_) flush();
    if (file_.length() > end_) file_.truncate(end_);
    file_.sync();
}

void TsWriter::recover(File file, const td_recording&, Recovered& recovered) {
    file_ = file;
    auto found = scan(FileSource(file));
    if (!found || found->packets == 0) return;
    end_ = found->size;
    recovered.memo = std::move(found->memo);
    recovered.packets = found->packets;
    recovered.duration_us = found->end_us;
}

}  // namespace tapedeck::ts
