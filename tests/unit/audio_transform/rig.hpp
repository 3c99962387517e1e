// One transform in a FakeHost, reached by the plugin's entry as the host reaches it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sound.hpp"
#include "tapedeck/plugin.hpp"
#include "testkit/fake_host.hpp"
#include "testkit/recording_sink.hpp"

extern "C" const td_plugin TD_ENTRY;

namespace tapedeck::audio {

class Rig {
public:
    ~Rig() { close(); }

    static const td_transform& table() { return *static_cast<const td_transform*>(TD_ENTRY.extensions[0]->table); }

    std::int32_t accepts(const td_track& in, std::uint32_t codec, const td_options* options = nullptr) {
        return table().accepts(host.table(), host.context(), options, &in, codec);
    }
    void open(const td_track& in, std::uint32_t codec, const td_options* options = nullptr) {
        td_track wanted{};
        wanted.size = sizeof wanted;
        wanted.codec = codec;
        open(in, wanted, options);
    }
    void open(const td_track& in, const td_track& wanted, const td_options* options = nullptr) {
        close();
        td_error error = empty_error();
        if (table().create(host.table(), host.context(), options, &in, &wanted, &sink, &self_, &error) != TD_OK)
            throw Error(error);
    }
    void close() {
        if (self_ != nullptr) table().destroy(self_);
        self_ = nullptr;
    }
    td_status push(std::int64_t pts, const std::vector<std::uint8_t>& payload, std::uint32_t flags = 0,
                   const td_track* changed = nullptr, std::int64_t wallclock_us = TD_NO_TIME) {
        OwnedPacket owned(Context(host.table(), host.context()), 1, payload, pts, TD_PACKET_KEY | flags);
        owned.packet.changed = changed;
        owned.packet.wallclock_us = wallclock_us;
        if (changed != nullptr) owned.packet.flags |= TD_PACKET_CONFIG_CHANGED;
        td_error error = empty_error();
        return table().push(self_, &owned.packet, &error);
    }
    void flush() {
        td_error error = empty_error();
        EXPECT_EQ(table().push(self_, nullptr, &error), TD_OK) << error.text;
    }
    /// All of it, from the first to the last.
    void run(const Encoded& source, std::uint32_t codec) {
        open(source.track, codec);
        for (const Unit& unit : source.units) EXPECT_EQ(push(unit.pts, unit.payload), TD_OK);
        flush();
    }

    testkit::TrackCopy track() const { return sink.tracks().back(); }
    std::vector<Unit> units() const {
        std::vector<Unit> all;
        for (const auto& copy : sink.packets()) all.push_back({copy.packet.pts, copy.data});
        return all;
    }
    /// What another decoder hears.
    Sound heard() const {
        const auto made = track();
        return decode(made.track, made.config, units());
    }
    std::int64_t metric(std::string_view name) const { return testkit::FakeHost::metric(name); }

    testkit::FakeHost host{*TD_ENTRY.extensions[0]};
    testkit::RecordingSink sink;

private:
    void* self_ = nullptr;
};

}  // namespace tapedeck::audio
