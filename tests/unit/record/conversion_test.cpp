// What becomes of converted sound in a recording where its files, its settings or its source change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

#include "../store/doubles.hpp"
#include "../stream/packets.hpp"
#include "film.hpp"
#include "record/keys.hpp"
#include "record/recorder.hpp"

namespace tapedeck::host {
namespace {

using doubles::Film;
using doubles::LateSound;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Ge;

struct Studio : test::Server {
    explicit Studio(const test::fs::path& home) : Server(home, "record_name_collision = suffix") {
        settings().declare("", "", record_keys);
        settings().declare_family("prefer.", "");
        add<doubles::FilmWriter>("writer");
        add<LateSound>("transform");
    }
};

/// One recording, run by the test itself: what was sent is handled by `run`.
class ConversionTest : public ::testing::Test {
protected:
    ConversionTest() {
        Film::all().clear();
        pool_.stop(std::chrono::hours(1));
    }
    ~ConversionTest() override { loop_.stop(); }

    void begin(const OptionTexts& settings = {}, bool with_pictures = true) {
        const td_track picture = test::video();
        if (with_pictures) call(stream_->table->track, &picture);
        recorder_ = std::make_shared<Recorder>(Recorder::Parts{.settings = server_.settings(),
                                                               .policy = policy_,
                                                               .delivery = server_.delivery(),
                                                               .disk = disk_,
                                                               .pool = pool_},
                                               stream_, options(settings), [](Recorder&) {});
        stream_->hold();
        recorder_->begin();
    }
    OptionTexts options(const OptionTexts& settings) {
        return texts_of(make_options(*server_.settings().current(), settings));
    }
    void run() { recorder_->run(); }
    void end() {
        std::promise<void> done;
        recorder_->stop([&](const Error*) { done.set_value(); });
        run();
        ASSERT_EQ(done.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
    }

    /// Pictures each 40 ms, a key frame each second, and sound each 20 ms, of these milliseconds.
    void send(int from_ms, int to_ms, int sound_offset_ms = 0) {
        for (int ms = from_ms; ms < to_ms; ms += 20) {
            if (ms % 40 == 0) packet(TD_VIDEO, 0, ms, std::uint32_t{ms % 1000 == 0});
            packet(TD_AUDIO, 1, ms + sound_offset_ms, TD_PACKET_KEY);
        }
    }
    void sound_is(std::uint32_t codec, std::uint32_t rate = 48000, std::uint32_t channels = 2) {
        td_track sound = test::track(TD_AUDIO, codec, 1);
        sound.sample_rate = rate;
        sound.channels = channels;
        const auto config = aac::build_config(2, rate, channels);
        if (codec == TD_CODEC_AAC) sound.config = {config.data(), config.size()};
        call(stream_->table->track, &sound);
    }
    /// What is sent of these milliseconds.
    static std::vector<std::int32_t> each(int from_ms, int to_ms, int step_ms) {
        std::vector<std::int32_t> all;
        for (int ms = from_ms; ms < to_ms; ms += step_ms) all.push_back(ms);
        return all;
    }
    static std::vector<std::int32_t> sound_of(const Film& film) {
        auto sent = film.sent(1);
        std::erase(sent, LateSound::priming);
        return sent;
    }

    template <class Function, class... Args>
    void call(Function function, Args... args) {
        td_error error = empty_error();
        ASSERT_EQ(function(stream_.get(), args..., &error), TD_OK) << error.text;
    }
    void packet(std::uint32_t kind, std::uint32_t track, int ms, std::uint32_t flags) {
        const auto payload = doubles::payload_of(kind, ms);
        td_packet packet{};
        packet.size = sizeof packet;
        packet.track = track;
        packet.flags = flags;
        packet.pts = packet.dts = ms;
        packet.duration = packet.wallclock_us = TD_NO_TIME;
        packet.data = payload.data();
        packet.data_size = static_cast<std::uint32_t>(payload.size());
        const td_packet* batch[] = {&packet};
        call(stream_->table->packets, static_cast<const td_packet* const*>(batch), std::size_t{1});
    }

    static StreamInfo info() {
        td_stream_info info{};
        info.size = sizeof info;
        info.name = text_of("cam");
        return StreamInfo(info);
    }
    static const td_publisher publisher;

    const test::TemporaryFolder folder_;
    Studio server_{folder_.path};
    RecordRules rules_{server_.settings()};
    Policy policy_{server_.settings(), [this](std::string_view kind) { return server_.all(kind); }, rules_};
    Disk disk_{Scope(server_.settings(), "")};
    MediaPool pool_{2};
    std::promise<void> key_asked_;
    Loop loop_{"test"};
    std::shared_ptr<Stream> stream_ =
        std::make_shared<Stream>(info(), &publisher, this, loop_, Stream::Limits{}, [](Stream&) {});
    std::shared_ptr<Recorder> recorder_;
};

const td_publisher ConversionTest::publisher{sizeof(td_publisher),
                                             0,
                                             nullptr,
                                             [](void* self, std::uint32_t) {
                                                 try {
                                                     static_cast<ConversionTest*>(self)->key_asked_.set_value();
                                                 } catch (const std::future_error&) {
                                                     // asked before
                                                 }
                                             },
                                             [](void*, std::int64_t) {},
                                             [](void*, td_text) {},
                                             [](void*, const td_recording*) {}};

TEST_F(ConversionTest, MessagesThatTheContainerCannotTakeAreLeftOutAndDisturbNothing) {
    sound_is(TD_CODEC_AAC);
    const td_track messages = test::messages();
    begin();
    send(0, 500);
    run();
    call(stream_->table->track, &messages);
    packet(TD_DATA, 2, 480, TD_PACKET_KEY);
    send(500, 2000);
    run();
    end();
    ASSERT_EQ(Film::all().size(), 1u);
    const Film& film = Film::all().front();
    EXPECT_EQ(film.tracks.size(), 2u);
    EXPECT_EQ(film.sent(0), each(0, 2000, 40));
    EXPECT_EQ(sound_of(film), each(0, 2000, 20));
}

TEST_F(ConversionTest, ARestartCutsSoundAndPictureAtOneInstant) {
    sound_is(TD_CODEC_OPUS);
    begin();
    send(0, 1500);
    run();
    ASSERT_TRUE(recorder_->restart({}));
    send(1500, 3500);
    run();
    end();
    const auto& films = Film::all();
    ASSERT_EQ(films.size(), 2u);
    EXPECT_EQ(films[0].sent(0), each(0, 2000, 40));
    EXPECT_EQ(films[1].sent(0), each(2000, 3500, 40));
    EXPECT_EQ(sound_of(films[0]), each(0, 2000, 20));
    EXPECT_EQ(sound_of(films[1]), each(2000, 3500, 20));
    EXPECT_EQ(films[1].shots.at(1)[0].sent_ms, LateSound::priming) << "it is encoded anew";
    for (const auto& shot : films[1].shots.at(1)) {
        if (shot.sent_ms == LateSound::priming) continue;
        EXPECT_EQ(shot.pts_us, (shot.sent_ms - 2000) * 1000);
    }
}

TEST_F(ConversionTest, SoundThatIsHeardAcrossTheCutIsInBothFiles) {
    sound_is(TD_CODEC_OPUS);
    begin();
    send(0, 1500, 10);
    run();
    ASSERT_TRUE(recorder_->restart({}));
    send(1500, 2500, 10);
    run();
    end();
    ASSERT_EQ(Film::all().size(), 2u);
    EXPECT_EQ(sound_of(Film::all()[0]), each(10, 2000, 20));
    EXPECT_EQ(sound_of(Film::all()[1]), each(1990, 2500, 20));
}

TEST_F(ConversionTest, SoundWithoutPictureRestartsWhereItIs) {
    sound_is(TD_CODEC_OPUS);
    begin({}, false);
    const auto sound = [&](int from, int to) {
        for (int ms = from; ms < to; ms += 20) packet(TD_AUDIO, 1, ms, TD_PACKET_KEY);
    };
    sound(0, 2000);
    run();
    ASSERT_TRUE(recorder_->restart(options({{"transform.late_sound.rate", "22050"}})));
    sound(2000, 3000);
    run();
    end();
    const auto& films = Film::all();
    ASSERT_EQ(films.size(), 2u);
    EXPECT_EQ(films[0].tracks.at(1).track.sample_rate, 48000u);
    EXPECT_EQ(films[1].tracks.at(1).track.sample_rate, 22050u);
    auto all = sound_of(films[0]);
    const auto more = sound_of(films[1]);
    all.insert(all.end(), more.begin(), more.end());
    EXPECT_EQ(all, each(0, 3000, 20));
}

TEST_F(ConversionTest, ARestartMayChangeWhetherSoundIsConverted) {
    sound_is(TD_CODEC_AAC, 44100);
    begin();
    send(0, 1500);
    run();
    ASSERT_TRUE(recorder_->restart(options({{"transform.late_sound.rate", "22050"}})));
    send(1500, 2500);
    run();
    ASSERT_TRUE(recorder_->restart({}));
    send(2500, 3500);
    run();
    end();
    const auto& films = Film::all();
    ASSERT_EQ(films.size(), 3u);
    std::vector<std::int32_t> all;
    for (const Film& film : films) {
        for (const std::int32_t ms : sound_of(film)) {
            if (all.empty() || ms > all.back()) all.push_back(ms);
        }
    }
    EXPECT_EQ(all, each(0, 3500, 20)) << "one frame may be heard across a cut";
    EXPECT_EQ(films[1].tracks.at(1).track.sample_rate, 22050u);
    EXPECT_EQ(films[2].tracks.at(1).track.sample_rate, 44100u) << "untouched again";
    EXPECT_THAT(films[2].sent(1), Each(Ge(0)));
}

TEST_F(ConversionTest, ARecordingsOwnSettingActsOnAacWhereItDiffers) {
    sound_is(TD_CODEC_AAC, 44100);
    begin({{"transform.late_sound.rate", "22050"}});
    send(0, 1000);
    run();
    end();
    ASSERT_EQ(Film::all().size(), 1u);
    EXPECT_EQ(Film::all()[0].tracks.at(1).track.sample_rate, 22050u);
    EXPECT_THAT(Film::all()[0].sent(1), Contains(LateSound::priming));
}

TEST_F(ConversionTest, ARecordingsOwnSettingLeavesAacAloneThatIsSoAlready) {
    sound_is(TD_CODEC_AAC, 44100);
    begin({{"transform.late_sound.rate", "44100"}});
    send(0, 1000);
    run();
    end();
    ASSERT_EQ(Film::all().size(), 1u);
    EXPECT_EQ(Film::all()[0].sent(1), each(0, 1000, 20));
}

TEST_F(ConversionTest, AnotherCodecGoesOnInTheFileInHand) {
    sound_is(TD_CODEC_AAC, 44100);
    begin();
    send(0, 1500);
    sound_is(TD_CODEC_OPUS);
    send(1500, 2300);
    sound_is(TD_CODEC_PCMA, 8000, 1);
    send(2300, 2800);
    run();
    end();
    ASSERT_EQ(Film::all().size(), 1u);
    const Film& film = Film::all()[0];
    EXPECT_EQ(film.sent(0), each(0, 2800, 40));
    EXPECT_EQ(film.sent(1), each(0, 2800, 20)) << "and no priming between them";
    const auto& sound = film.shots.at(1);
    for (std::size_t i = 1; i < sound.size(); ++i) EXPECT_GT(sound[i].pts_us, sound[i - 1].pts_us);
}

TEST_F(ConversionTest, OtherParametersGoOnInTheFileInHandAndUntouchedInTheNext) {
    sound_is(TD_CODEC_AAC, 44100);
    begin({{"record_rotation", "2"}});
    send(0, 1500);
    sound_is(TD_CODEC_AAC, 48000, 1);
    send(1500, 3500);
    run();
    end();
    const auto& films = Film::all();
    ASSERT_EQ(films.size(), 2u);
    EXPECT_EQ(films[0].tracks.at(1).track.channels, 2u);
    EXPECT_EQ(films[1].tracks.at(1).track.channels, 1u);
    auto all = films[0].sent(1);
    for (const std::int32_t ms : films[1].sent(1)) {
        if (ms > all.back()) all.push_back(ms);
    }
    EXPECT_EQ(all, each(0, 3500, 20));
}

TEST_F(ConversionTest, SoundThatCannotGoOnAsksForAKeyFrameAtOnce) {
    sound_is(TD_CODEC_AAC, 44100);
    begin();
    send(0, 1500);
    sound_is(TD_CODEC_AAC, 48000, 6);
    send(1500, 1600);
    run();
    ASSERT_EQ(key_asked_.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
    send(1600, 2500);
    run();
    end();
    const auto& films = Film::all();
    ASSERT_EQ(films.size(), 2u);
    EXPECT_EQ(films[1].tracks.at(1).track.channels, 6u);
    EXPECT_GE(films[1].sent(1).front(), 1980);
    EXPECT_EQ(films[1].sent(1).back(), 2480);
}

TEST_F(ConversionTest, ASplitIsWhereTheSettingAsksForIt) {
    sound_is(TD_CODEC_AAC, 44100);
    begin({{"record_codec_change", "split"}});
    send(0, 1500);
    sound_is(TD_CODEC_AAC, 48000, 1);
    send(1500, 2500);
    run();
    end();
    ASSERT_EQ(Film::all().size(), 2u);
    EXPECT_EQ(Film::all()[1].tracks.at(1).track.channels, 1u);
}

TEST_F(ConversionTest, AFileBeginsWithTheTracksOfItsFirstPictureNotOfWhatCameSince) {
    sound_is(TD_CODEC_OPUS);
    begin({{"record_rotation", "2"}});
    send(0, 2020);
    sound_is(TD_CODEC_AAC, 44100);
    send(2020, 3000);
    run();
    end();
    const auto& films = Film::all();
    ASSERT_EQ(films.size(), 2u);
    EXPECT_EQ(films[1].sent(0), each(2000, 3000, 40));
    EXPECT_EQ(films[1].tracks.at(1).track.sample_rate, 48000u) << "Opus, converted";
    auto all = sound_of(films[0]);
    const auto more = sound_of(films[1]);
    all.insert(all.end(), more.begin(), more.end());
    EXPECT_EQ(all, each(0, 3000, 20));
}

TEST_F(ConversionTest, ALateTrackThatTheWriterWillNotTakeIsLeftOut) {
    begin({{"record_rotation", "2"}});
    const auto pictures = [&](int from_ms, int to_ms) {
        for (int ms = from_ms; ms < to_ms; ms += 40) packet(TD_VIDEO, 0, ms, std::uint32_t{ms % 1000 == 0});
    };
    pictures(0, 520);
    run();
    sound_is(TD_CODEC_AAC, 48000, doubles::FilmWriter::too_many_channels);
    send(520, 4480);
    run();
    end();
    std::vector<std::int32_t> all;
    for (const Film& film : Film::all()) {
        EXPECT_EQ(film.tracks.size(), 1u);
        const auto sent = film.sent(0);
        all.insert(all.end(), sent.begin(), sent.end());
    }
    EXPECT_EQ(all, each(0, 4480, 40));
}

}  // namespace
}  // namespace tapedeck::host
