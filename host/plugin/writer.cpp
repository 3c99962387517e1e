#include "plugin/writer.hpp"

#include <algorithm>
#include <string>

#include "plugin/host_table.hpp"

namespace tapedeck::host {
namespace {

const td_writer* writer_table(const Extension& extension) {
    return static_cast<const td_writer*>(extension.declared->table);
}

}  // namespace

Writer::Writer(const Extension& extension) : extension_(extension), table_(writer_table(extension)) {
    td_error error = empty_error();
    check(extension_, "create", table_->create(&host_table(), extension_.context, &self_, &error), error);
}

Writer::~Writer() {
    table_->destroy(self_);
}

void Writer::open(td_file& file, const td_recording& recording, std::span<const td_track* const> tracks) {
    td_error error = empty_error();
    check(extension_, "open", table_->open(self_, &file, &recording, tracks.data(), tracks.size(), &error), error);
}

bool Writer::track(const td_track& track) {
    const auto function = offered(table_, &td_writer::track);
    if (function == nullptr) return false;
    td_error error = empty_error();
    const td_status status = function(self_, &track, &error);
    if (status == TD_UNSUPPORTED) return false;
    check(extension_, "track", status, error);
    return true;
}

void Writer::write(const td_packet& packet) {
    td_error error = empty_error();
    check(extension_, "write", table_->write(self_, &packet, &error), error);
}

void Writer::flush() {
    td_error error = empty_error();
    check(extension_, "flush", table_->flush(self_, &error), error);
}

void Writer::finish() {
    td_error error = empty_error();
    check(extension_, "finish", table_->finish(self_, &error), error);
}

std::optional<Writer::Recovered> Writer::recover(td_file& file, const td_recording& recording) {
    const auto function = offered(table_, &td_writer::recover);
    if (function == nullptr) return std::nullopt;
    std::string memo(64u << 10, '\0');  // the host's own facts: a few hundred bytes and the options
    td_recovered found{.size = sizeof(td_recovered),
                       .memo_size = static_cast<std::uint32_t>(memo.size()),
                       .memo = memo.data(),
                       .duration_us = TD_NO_TIME,
                       .packets = 0};
    td_error error = empty_error();
    check(extension_, "recover", function(self_, &file, &recording, &found, &error), error);
    memo.resize(std::min<std::size_t>(memo.size(), found.memo_size));
    return Recovered{std::move(memo), found.duration_us, found.packets};
}

WriterFacts::WriterFacts(const Extension& of)
    : extension(writer_table(of)->extension),
      mime(writer_table(of)->mime),
      codecs(writer_table(of)->codecs, writer_table(of)->codec_count),
      recovers(offered(writer_table(of), &td_writer::recover) != nullptr) {}

bool WriterFacts::takes(std::uint32_t codec) const {
    return std::ranges::any_of(codecs, [codec](std::uint32_t one) { return one == codec || one == TD_CODEC_ANY; });
}

}  // namespace tapedeck::host
