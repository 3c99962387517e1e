// Parts of files: what is shown first, where the sound begins, what is copied and what is refused.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "box_walker.hpp"
#include "programs.hpp"
#include "reader.hpp"
#include "session.hpp"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::mp4::test {
namespace {

constexpr std::int64_t second = 1'000'000;

/// A finished recording of this clip.
std::vector<std::uint8_t> recorded(const Clip& clip) {
    Session session;
    session.record(clip);
    session.finish();
    return session.file.contents();
}

/// A file of another program: ffmpeg's own MP4.
std::vector<std::uint8_t> foreign(const std::string& options) {
    static TempFolder folder;
    std::filesystem::path source;
    Recipe recipe;
    recipe.b_frames = 2;
    make_clip(recipe, &source);
    const auto path = folder / "foreign.mp4";
    EXPECT_EQ(
        output_of("ffmpeg -nostdin -v error -y -i " + source.string() + " -c copy " + options + " " + path.string()),
        "");
    return load(path);
}

/// The part as bytes; made by a reader of its own.
std::vector<std::uint8_t> part_of(const std::vector<std::uint8_t>& file, std::int64_t from,
                                  std::int64_t to = TD_NO_TIME, bool exact = true) {
    testkit::FakeHost host;
    testkit::MemoryFile source(file), target;
    Mp4Reader reader({host.table(), host.context()}, File(&source));
    reader.cut(from, to, exact, File(&target));
    return target.contents();
}

/// A decoded picture: when it is shown and what it looks like.
struct Picture {
    double at;
    std::string hash;
};
std::vector<Picture> pictures_of(const std::vector<std::uint8_t>& file) {
    TempFolder folder;
    const auto path = folder / "file.mp4";
    save(path, file);
    const auto hashes = lines_of(output_of("ffmpeg -nostdin -v error -i " + path.string() +
                                           " -map 0:v -fps_mode passthrough -enc_time_base -1 -f framemd5 -"));
    double tick = 0;
    std::vector<Picture> pictures;
    for (const std::string& line : hashes) {
        double num = 0, den = 0;
        long long pts = 0;
        if (std::sscanf(line.c_str(), "#tb 0: %lf/%lf", &num, &den) == 2) tick = num / den;
        if (std::sscanf(line.c_str(), "0, %*d, %lld,", &pts) == 1)
            pictures.push_back({static_cast<double>(pts) * tick, line.substr(line.rfind(' ') + 1)});
    }
    return pictures;
}

/// What ffmpeg decodes of the sound, from the time 0 that the file's edits give it; one channel.
std::vector<float> sound_of(const std::vector<std::uint8_t>& file) {
    TempFolder folder;
    const auto path = folder / "file.mp4", raw = folder / "sound.raw";
    save(path, file);
    EXPECT_EQ(output_of("ffmpeg -nostdin -v error -i " + path.string() + " -map 0:a -ac 1 -f f32le " + raw.string()),
              "");
    const auto bytes = load(raw);
    std::vector<float> samples(bytes.size() / 4);
    std::memcpy(samples.data(), bytes.data(), samples.size() * 4);
    return samples;
}

/// The pictures that a viewer sees from `from` to `to`: the one on show at `from` and those that come before `to`.
std::vector<Picture> between(const std::vector<Picture>& all, double from, double to) {
    std::vector<Picture> seen;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const double until = i + 1 < all.size() ? all[i + 1].at : 1e9;
        if (until > from + 0.0006 && all[i].at < to - 0.0001) seen.push_back(all[i]);
    }
    return seen;
}

void expect_exact(const std::vector<std::uint8_t>& file, double from, double to, const std::string& what) {
    const auto us = [](double time) { return std::llround(time * second); };
    const auto expected = between(pictures_of(file), from, to);
    const auto seen = pictures_of(part_of(file, us(from), us(to)));
    ASSERT_FALSE(seen.empty()) << what;
    EXPECT_EQ(seen.size(), expected.size()) << what;
    EXPECT_NEAR(seen[0].at, 0, 0.0006) << what;
    for (std::size_t i = 0; i < std::min(seen.size(), expected.size()); ++i) {
        EXPECT_EQ(seen[i].hash, expected[i].hash) << what << ", picture " << i;
        if (i > 0) {
            EXPECT_NEAR(seen[i].at, expected[i].at - from, 0.0011) << what << ", picture " << i;
        }
    }
}

TEST(Cut, BeginsWithThePictureThatIsOnShowAtItsStart) {
    for (const int b_frames : {0, 2}) {
        Recipe recipe;
        recipe.b_frames = b_frames;
        const auto file = recorded(make_clip(recipe));
        for (const auto& [from, to] : {std::pair{0.0, 1.0}, {1.0, 2.0}, {1.55, 2.2}, {0.983, 2.999}, {2.9, 3.0}})
            expect_exact(file, from, to, std::to_string(b_frames) + " B-frames, from " + std::to_string(from));
    }
}

TEST(Cut, TakesFilesOfOtherProgramsWhateverTheirLayout) {
    for (const std::string options : {"", "-movflags faststart", "-movflags negative_cts_offsets",
                                      "-video_track_timescale 90000 -movie_timescale 600"})
        expect_exact(foreign(options), 1.55, 2.2, options);
}

TEST(Cut, OfACutIsAsExact) {
    const auto file = recorded(make_clip());
    const auto once = part_of(file, second / 2, 5 * second / 2);
    const auto twice = pictures_of(part_of(once, second / 2, second));
    const auto expected = between(pictures_of(file), 1.0, 1.5);
    ASSERT_EQ(twice.size(), expected.size());
    EXPECT_EQ(twice.front().hash, expected.front().hash);
    EXPECT_EQ(twice.back().hash, expected.back().hash);
    EXPECT_NEAR(std::stod(probe(
                    [&] {
                        static TempFolder folder;
                        save(folder / "once.mp4", once);
                        return folder / "once.mp4";
                    }(),
                    "v:0", "format=duration")),
                2.0, 0.03);
}

TEST(Cut, HasTheSoundOfTheSameInstant) {
    const auto file = recorded(make_clip());
    const auto whole = sound_of(file);
    const double from = 1.337;
    const auto part = sound_of(part_of(file, std::llround(from * second), 2 * second));
    ASSERT_GT(part.size(), 20000u);
    const auto distance = [&](long offset) {
        double sum = 0;
        for (std::size_t i = 2048; i < 12000; ++i)
            sum += std::abs(part[i] - whole.at(i + static_cast<std::size_t>(offset)));
        return sum;
    };
    const long expected = std::lround(from * 44100);
    long best = expected - 1200;
    for (long offset = best; offset < expected + 1200; ++offset)
        if (distance(offset) < distance(best)) best = offset;
    EXPECT_NEAR(static_cast<double>(best), static_cast<double>(expected), 2);
    EXPECT_NEAR(distance(best), 0, 0.1) << "one frame before the start lets the decoder begin without a gap";
    for (std::size_t i = 0; i < 2048; ++i)
        ASSERT_NEAR(part[i], whole.at(i + static_cast<std::size_t>(best)), 0.001) << i;
}

TEST(Cut, DecodesWithoutAMessageAndPutsItsIndexFirst) {
    Recipe recipe;
    recipe.b_frames = 2;
    const auto file = recorded(make_clip(recipe));
    TempFolder folder;
    for (const std::int64_t from : {std::int64_t{0}, second, second + 123'456}) {
        const auto part = part_of(file, from, 2 * second);
        EXPECT_EQ(order_of(part), "ftyp moov free mdat");
        const auto path = folder / "part.mp4";
        save(path, part);
        EXPECT_EQ(decode_complaints(path), "") << from;
        EXPECT_NEAR(std::stod(probe(path, "v:0", "format=duration")), static_cast<double>(2 * second - from) / second,
                    0.001)
            << from;
    }
}

TEST(Cut, OfOneKindOfTrackWorksAlike) {
    const Clip& clip = make_clip();
    expect_exact(recorded(clip.only(Clip::video)), 1.1, 2.1, "without sound");
    const auto part = sound_of(part_of(recorded(clip.only(Clip::audio)), second, 2 * second));
    EXPECT_NEAR(static_cast<double>(part.size()), 44100, 1100);
}

TEST(Cut, WithoutAnEndGoesToTheEndOfTheFile) {
    const auto file = recorded(make_clip());
    EXPECT_EQ(pictures_of(part_of(file, 0)).size(), 90u);
    EXPECT_EQ(pictures_of(part_of(file, 2 * second)).size(), 30u);
}

TEST(Cut, ThatNeedNotBeExactBeginsWithAKeyFrame) {
    const auto file = recorded(make_clip());
    const auto part = part_of(file, 1'500'000, 2 * second, false);
    EXPECT_EQ(pictures_of(part).size(), 30u) << "the key frame is at 1 s";
    EXPECT_EQ(all(part, "moov/trak/edts").size(), 1u) << "only the sound begins within a frame";
}

TEST(Cut, BeyondTheFileIsRefused) {
    const auto file = recorded(make_clip());
    struct Row {
        std::int64_t from, to;
        const char* word;
    };
    for (const Row& row : {Row{3 * second + 50'000, TD_NO_TIME, "start"}, Row{100 * second, 200 * second, "start"},
                           Row{second, 5 * second, "end"}}) {
        try {
            part_of(file, row.from, row.to);
            ADD_FAILURE() << row.from;
        } catch (const Error& e) {
            EXPECT_EQ(e.status(), TD_NOT_FOUND) << e.what();
            EXPECT_NE(std::string(e.what()).find(row.word), std::string::npos) << e.what();
        }
    }
    EXPECT_EQ(pictures_of(part_of(file, 2 * second, 3'900'000)).size(), 30u)
        << "people round the end up to a whole second";
}

TEST(Cut, OfAFileStillBeingWrittenEndsWithWhatIsThere) {
    Session session;
    const Clip& clip = make_clip();
    session.open(clip);
    session.write(clip, INT64_MIN, 2000);
    const auto file = session.file.contents();
    EXPECT_EQ(pictures_of(part_of(file, 0)).size(), 60u);
    EXPECT_EQ(pictures_of(part_of(file, second)).size(), 30u);
    EXPECT_EQ(order_of(part_of(file, 0)), "ftyp moov free mdat");
}

TEST(Cut, OfADamagedFileFailsWithTheReason) {
    auto file = recorded(make_clip());
    const std::string text = "this is no film";
    for (const auto& bytes :
         {std::vector<std::uint8_t>(text.begin(), text.end()), std::vector<std::uint8_t>(),
          std::vector<std::uint8_t>(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(file.size() / 2))}) {
        try {
            part_of(bytes, 0);
            ADD_FAILURE() << bytes.size();
        } catch (const Error& e) {
            EXPECT_EQ(e.status(), TD_MALFORMED) << e.what();
        }
    }
}

TEST(Cut, ReadsTheIndexOnceAndOfTheMediaOnlyThePart) {
    const auto file = recorded(make_clip().repeated(20));
    testkit::FakeHost host;
    testkit::MemoryFile source(file);
    Mp4Reader reader({host.table(), host.context()}, File(&source));
    const auto to_open = source.calls(testkit::Call::read);
    std::uint64_t reads = 0;
    for (const int start : {3, 17, 42}) {
        testkit::MemoryFile target;
        const auto before = source.calls(testkit::Call::read);
        reader.cut(start * second, (start + 2) * second, true, File(&target));
        reads = source.calls(testkit::Call::read) - before;
        EXPECT_LT(target.size(), file.size() / 8) << start;
        EXPECT_EQ(reads, target.calls(testkit::Call::copy)) << "each by one copy below 1 MB, and nothing else";
        EXPECT_EQ(target.calls(testkit::Call::copy), 1u) << "sound and pictures lie together";
    }
    EXPECT_LT(to_open, 10u);
}

TEST(Cut, CopiesWholeBlocksSoThatTheyCanBeShared) {
    const auto file = recorded(make_clip().repeated(5));
    const auto part = part_of(file, 4 * second, 6 * second);
    const auto mdat = boxes_in(part).back();
    EXPECT_EQ((mdat.at + 16) % 4096, 0u);
    const auto begin = part.begin() + static_cast<std::ptrdiff_t>(mdat.at + 16);
    const auto found = std::search(file.begin(), file.end(), begin, part.end());
    ASSERT_NE(found, file.end());
    EXPECT_EQ((found - file.begin()) % 4096, 0);
}

TEST(Cut, GoesThroughMemoryWhereFilesCannotCopy) {
    const auto file = recorded(make_clip());
    testkit::FakeHost host;
    testkit::MemoryFile source(file), target;
    target.unsupported(testkit::Call::copy);
    Mp4Reader reader({host.table(), host.context()}, File(&source));
    reader.cut(second, 2 * second, true, File(&target));
    EXPECT_EQ(target.contents(), part_of(file, second, 2 * second));
}

TEST(TrackReport, TellsEachTrackInTheWordsOfTheSpecification) {
    testkit::FakeHost host;
    testkit::MemoryFile source(recorded(make_clip())), json;
    Mp4Reader(Context(host.table(), host.context()), File(&source)).inspect(File(&json));
    const auto bytes = json.contents();
    const std::string text(bytes.begin(), bytes.end());
    for (const char* part :
         {R"("trackType": "VIDEO")", R"("trackId": "0")", R"("timescale": "1000")", R"("trackCodec": "avc1")",
          R"("width": "320")", R"("height": "180")", R"("durationInMS": "3000")",
          R"("trackEdits": [{"startInMs": "0", "endInMs": "3000", "type": "media"}])", R"("trackType": "AUDIO")",
          R"("trackId": "1")", R"("trackCodec": "mp4a")", R"("channels": "1")", R"("sampleRate": "44100")"})
        EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
}

/// The clip with sound from 0.2 s on, which is too little to be filled with silence.
Clip with_late_sound() {
    Clip clip = make_clip();
    std::erase_if(clip.units, [](const Unit& unit) { return unit.track == Clip::audio && unit.pts < 200; });
    return clip;
}

TEST(TrackReport, ShowsThePauseBeforeATrackThatBeginsLate) {
    testkit::FakeHost host;
    testkit::MemoryFile source(recorded(with_late_sound())), json;
    Mp4Reader(Context(host.table(), host.context()), File(&source)).inspect(File(&json));
    const auto bytes = json.contents();
    const std::string text(bytes.begin(), bytes.end());
    EXPECT_NE(text.find(R"([{"startInMs": "0", "endInMs": "209", "type": "pause"}, {"startInMs": "209", )"),
              std::string::npos)
        << text;
}

TEST(Cut, KeepsWhatIsLeftOfAPause) {
    const auto file = recorded(with_late_sound());
    TempFolder folder;
    for (const auto& [from, start] : {std::pair{0, 0.2}, {100'000, 0.1}, {500'000, 0.0}}) {
        const auto path = folder / "part.mp4";
        save(path, part_of(file, from, second));
        EXPECT_NEAR(std::stod(probe(path, "a:0", "stream=start_time")), start, 0.024) << from;
        EXPECT_EQ(decode_complaints(path), "") << from;
    }
}

TEST(TrackIndex, FindsEachSampleAsAReaderOfTheWholeTableDoes) {
    for (const auto& file : {recorded(make_clip()), foreign("-movflags negative_cts_offsets"), foreign("")}) {
        const auto moov = box(file, "moov").payload;
        for (const std::size_t track : {0u, 1u}) {
            const auto expected = samples_of(moov, track);
            const auto stbl = box(box(moov, "trak", track).payload, "mdia/minf/stbl").payload;
            const TrackIndex index(stbl);
            ASSERT_EQ(index.samples(), expected.size());
            for (std::uint32_t from = 0; from < expected.size(); from += 7) {
                TrackIndex::Cursor cursor(index, from);
                EXPECT_EQ(index.decoded_at(expected[from].dts), from);
                EXPECT_EQ(index.decoded_at(expected[from].dts + expected[from].duration - 1), from);
                for (std::uint32_t i = from; i < std::min<std::size_t>(from + 9, expected.size()); ++i) {
                    const IndexedSample sample = cursor.next();
                    EXPECT_EQ(sample.position, expected[i].at);
                    EXPECT_EQ(sample.size, expected[i].size);
                    EXPECT_EQ(sample.decode_time, expected[i].dts);
                    EXPECT_EQ(sample.duration, expected[i].duration);
                    EXPECT_EQ(sample.key, expected[i].key);
                    EXPECT_EQ(index.shown_at(i), sample.shown_at());
                    EXPECT_GE(sample.composition, 0);
                    EXPECT_EQ(sample.composition, static_cast<std::int32_t>(expected[i].composition) + index.shift());
                }
            }
            EXPECT_EQ(index.key_at(29), track == 0 ? 0u : 29u);
            EXPECT_EQ(index.key_at(31), track == 0 ? 30u : 31u);
        }
    }
}

}  // namespace
}  // namespace tapedeck::mp4::test
