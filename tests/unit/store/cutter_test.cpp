// Parts of recordings: made once, kept, made anew when the recording changed, deleted by their limits.
#include "store/cutter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <future>
#include <latch>
#include <thread>

#include "base/at_once.hpp"
#include "base/error.hpp"
#include "doubles.hpp"
#include "store/cutter_keys.hpp"

namespace tapedeck::doubles {

/// What the reader below does and saw; one test at a time.
struct Cuts {
    std::atomic<int> opened = 0, made = 0, at_once = 0, most_at_once = 0;
    std::function<void()> on_cut;  ///< may throw

    static Cuts& get() {
        static Cuts cuts;
        return cuts;
    }
    void clear() {
        opened = made = at_once = most_at_once = 0;
        on_cut = nullptr;
    }
};

/// A part is its times and the whole text.
class LinesReader : public Reader {
public:
    static constexpr const char *id = "txt", *doc = "Lines", *extension = "txt";
    LinesReader(Context, File file) : text_(file.text()) { ++Cuts::get().opened; }
    void cut(std::int64_t from, std::int64_t to, bool, File target) {
        Cuts& cuts = Cuts::get();
        cuts.most_at_once = std::max<int>(cuts.most_at_once, ++cuts.at_once);
        struct Leave {
            ~Leave() { --Cuts::get().at_once; }
        } leave;
        if (cuts.on_cut) cuts.on_cut();
        if (from >= 100'000'000) throw Error(TD_NOT_FOUND, "the file lasts 100 s");
        ++cuts.made;
        target.append(std::to_string(from) + ' ' + std::to_string(to == TD_NO_TIME ? -1 : to) + ' ' + text_);
    }

private:
    std::string text_;
};

}  // namespace tapedeck::doubles

namespace tapedeck::host::test {
namespace {

using namespace std::chrono_literals;
using doubles::Cuts;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using Times = api::RecordCuts::Times;

constexpr std::int64_t second = 1'000'000;

class CutterTest : public ::testing::Test {
protected:
    CutterTest() {
        extension_.kind = "reader";
        extension_.id = "txt";
        Cuts::get().clear();
        fs::create_directories(folder_.path / "records");
        fs::create_directories(folder_.path / "state");
        extension_.declared = &detail::Extension<doubles::LinesReader>::value;
        record("cam.txt", "film");
    }
    ~CutterTest() override { Cuts::get().on_cut = nullptr; }

    void start(const std::string& settings = "") {
        cutter_.reset();
        disk_.reset();
        source_ = std::make_unique<SettingsSource>(folder_.path, "cutter.other_formats = true\n" + settings);
        source_->declare("", "", store_keys);
        source_->declare("", "", cutter_keys);
        source_->declare("reader.txt", "", {});
        context_ = std::make_unique<td_context>("reader", "txt", extension_.declared, *source_, services_);
        extension_.context = context_.get();
        disk_ = std::make_unique<Disk>(Scope(*source_, ""));
        cutter_ = std::make_unique<Cutter>(
            Cutter::Parts{.settings = Scope(*source_, ""),
                          .extensions = [this](std::string_view) { return std::vector<const Extension*>{&extension_}; },
                          .disk = *disk_});
    }

    fs::path records(const std::string& name) const { return folder_.path / "records" / name; }
    void record(const std::string& name, const std::string& text) const {
        fs::create_directories(records(name).parent_path());
        std::ofstream(records(name)) << text;
    }

    struct Answer {
        fs::path part;
        std::string failure;
        td_status status = TD_OK;
    };
    std::future<Answer> ask(const Times& times, const std::string& name = "cam.txt") {
        auto promise = std::make_shared<std::promise<Answer>>();
        cutter_->cut(records(name), name, times, [promise](const fs::path* part, const Error* failure) {
            Answer answer;
            if (part != nullptr) answer.part = *part;
            if (failure != nullptr) answer.failure = failure->what(), answer.status = failure->status();
            promise->set_value(answer);
        });
        return promise->get_future();
    }
    Answer cut(const Times& times, const std::string& name = "cam.txt") { return ask(times, name).get(); }
    /// Now and then it is not known at once: when the list is in use, or the kernel is busy with the folders.
    std::optional<Cutter::Kept> await_kept(const Times& times) {
        std::optional<Cutter::Kept> known;
        for (int i = 0; i < 1000 && !known; ++i) known = cutter_->kept(records("cam.txt"), "cam.txt", times);
        return known;
    }
    std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::recursive_directory_iterator(folder_.path / "records"))
            if (entry.is_regular_file()) names.push_back(entry.path().filename());
        return names;
    }

    const TemporaryFolder folder_;
    Services services_;
    Extension extension_;
    std::unique_ptr<SettingsSource> source_;
    std::unique_ptr<td_context> context_;
    std::unique_ptr<Disk> disk_;
    std::unique_ptr<Cutter> cutter_;
};

TEST_F(CutterTest, WritesThePartOnceUnderANameWithItsTimes) {
    start();
    const Answer first = cut({11 * second, 60 * second + 500'000});
    EXPECT_EQ(first.part, records("cam-s11-e60.5.txt"));
    EXPECT_EQ(text_of_file(first.part), "11000000 60500000 film");
    EXPECT_EQ(cut({11 * second, 60 * second + 500'000}).part, first.part);
    EXPECT_EQ(Cuts::get().made, 1);
    EXPECT_EQ(cut({11 * second, {}}).part, records("cam-s11.txt"));
    EXPECT_EQ(text_of_file(cut({{}, second}).part), "0 1000000 film");
    EXPECT_THAT(files(), UnorderedElementsAre("cam.txt", "cam-s11-e60.5.txt", "cam-s11.txt", "cam-e1.txt"));
}

TEST_F(CutterTest, GivesAtOnceWhatItMadeAndIsStillTheSame) {
    start();
    EXPECT_FALSE(cutter_->kept(records("cam.txt"), "cam.txt", {second, {}}));
    const fs::path part = cut({second, {}}).part;
    cut({2 * second, {}});
    if (!is_local(part)) GTEST_SKIP() << "the folder for temporary files may ask a network";
    const auto known = await_kept({second, {}});
    ASSERT_TRUE(known);
    EXPECT_EQ(known->path, part);
    std::array<char, 100> text{};
    const ssize_t length = ::pread(known->file->descriptor(), text.data(), text.size(), 0);
    EXPECT_EQ(std::string(text.data(), static_cast<std::size_t>(length)), text_of_file(part));
    EXPECT_TRUE(known->file->is_local());
    EXPECT_FALSE(cutter_->kept(records("cam.txt"), "cam.txt", {3 * second, {}})) << "not made yet";
    EXPECT_FALSE(cutter_->kept(records("gone.txt"), "cam.txt", {second, {}})) << "no such recording";

    cutter_->stop(1min);  // which writes the list
    const CutList list(folder_.path / "state" / "cuts");
    EXPECT_GT(list.find("cam.txt?-s1")->used_us, list.find("cam.txt?-s2")->used_us) << "it was asked for last";

    std::ofstream(part) << "somebody else's";
    EXPECT_FALSE(cutter_->kept(records("cam.txt"), "cam.txt", {second, {}}));
    ASSERT_TRUE(await_kept({2 * second, {}}));
    record("cam.txt", "another film");
    EXPECT_FALSE(cutter_->kept(records("cam.txt"), "cam.txt", {2 * second, {}}));
}

TEST_F(CutterTest, NamesPartsWithinWhatAFileSystemTakes) {
    struct Row {
        std::string name;
        Times times;
        std::string part;
    };
    for (const auto& [name, times, part] :
         {Row{"a/b.c/film.mp4", {0, {}}, "a/b.c/film-s0.mp4"}, Row{"film", {{}, 250'000}, "film-e0.25"},
          Row{"a.b/film", {1, 2}, "a.b/film-s0.000001-e0.000002"}, Row{"f.mp4", {10 * second, {}}, "f-s10.mp4"}})
        EXPECT_EQ(Cutter::part_name(name, times), part);
    EXPECT_EQ(Cutter::part_name(std::string(255, 'x') + ".mp4", {second, {}}).size(), 252u) << "room for -99";
}

TEST_F(CutterTest, MakesOnePartForAllWhoAskAtTheSameTime) {
    start();
    std::promise<void> go;
    Cuts::get().on_cut = [wait = go.get_future().share()] { wait.wait(); };
    std::vector<std::future<Answer>> answers;
    answers.reserve(50);
    for (int i = 0; i < 50; ++i) answers.push_back(ask({second, 2 * second}));
    go.set_value();
    for (auto& answer : answers) EXPECT_EQ(answer.get().part, records("cam-s1-e2.txt"));
    EXPECT_EQ(Cuts::get().made, 1);
}

TEST_F(CutterTest, ReadsTheIndexOnceForManyPartsOfOneFile) {
    start("cutter.threads = 4\n");
    std::vector<std::future<Answer>> answers;
    answers.reserve(50);
    for (int i = 0; i < 50; ++i) answers.push_back(ask({i * second, (i + 1) * second}));
    for (auto& answer : answers) EXPECT_EQ(answer.get().failure, "");
    EXPECT_EQ(Cuts::get().made, 50);
    EXPECT_EQ(Cuts::get().opened, 1);
    EXPECT_EQ(Cuts::get().most_at_once, 1) << "a reader takes one call at a time";
}

TEST_F(CutterTest, MakesNoMorePartsAtOnceThanAllowed) {
    start("cutter.threads = 2\n");
    std::latch both(2);
    Cuts::get().on_cut = [&] { both.arrive_and_wait(); };
    for (const char* name : {"one.txt", "two.txt"}) record(name, name);
    auto one = ask({second, {}}, "one.txt"), two = ask({second, {}}, "two.txt");
    one.wait();
    two.wait();
    EXPECT_EQ(Cuts::get().most_at_once, 2) << "different files are cut at the same time";
    Cuts::get().on_cut = nullptr;
    std::vector<std::future<Answer>> answers;
    answers.reserve(8);
    for (int i = 0; i < 8; ++i) {
        const std::string name = "more" + std::to_string(i) + ".txt";
        record(name, name);
        answers.push_back(ask({second, {}}, name));
    }
    for (auto& answer : answers) EXPECT_EQ(answer.get().failure, "");
    EXPECT_LE(Cuts::get().most_at_once, 2);
}

TEST_F(CutterTest, CutsAnewWhenTheRecordingChanged) {
    start();
    cut({second, {}});
    record("cam.txt", "a longer film");
    EXPECT_EQ(text_of_file(cut({second, {}}).part), "1000000 -1 a longer film");
    EXPECT_EQ(Cuts::get().opened, 2);
    EXPECT_THAT(files(), UnorderedElementsAre("cam.txt", "cam-s1.txt"));
    fs::last_write_time(records("cam.txt"), fs::file_time_type::clock::now() + 1h);
    cut({second, {}});
    EXPECT_EQ(Cuts::get().made, 3) << "the same size at another time is another recording";
}

TEST_F(CutterTest, NeitherGivesNorReplacesNorDeletesAFileThatIsNoPart) {
    start("cutter.max_size = 1\n");
    record("cam-s1.txt", "somebody else's");
    EXPECT_EQ(cut({second, {}}).part, records("cam-s1-2.txt"));
    EXPECT_EQ(cut({second, {}}).part, records("cam-s1-2.txt"));
    cut({2 * second, {}});
    record("cam-s2.txt", "a recording that took the name of a part");
    cut({3 * second, {}});
    cut({4 * second, {}});
    cutter_.reset();
    EXPECT_EQ(text_of_file(records("cam-s1.txt")), "somebody else's");
    EXPECT_EQ(text_of_file(records("cam-s2.txt")), "a recording that took the name of a part");
    EXPECT_FALSE(fs::exists(records("cam-s3.txt"))) << "but parts go";
}

TEST_F(CutterTest, KeepsPartsOfDifferentRecordingsApartThatHaveOneName) {
    start();
    record("cam-s1.txt", "a recording of its own");
    const Answer first = cut({second, 2 * second});
    const Answer second_one = cut({{}, 2 * second}, "cam-s1.txt");
    EXPECT_EQ(first.part, records("cam-s1-e2.txt"));
    EXPECT_EQ(second_one.part, records("cam-s1-e2-2.txt"));
    EXPECT_EQ(text_of_file(cut({second, 2 * second}).part), "1000000 2000000 film");
    EXPECT_EQ(text_of_file(cut({{}, 2 * second}, "cam-s1.txt").part), "0 2000000 a recording of its own");
    EXPECT_EQ(Cuts::get().made, 2) << "neither pushed the other out";
    EXPECT_EQ(cut({{}, second}, "cam-s1-e2.txt").status, TD_MALFORMED) << "a part of a part";
}

TEST_F(CutterTest, LetsOneRecordingNotTakeAllThreads) {
    start("cutter.threads = 2\n");
    record("other.txt", "other");
    std::promise<void> begun, go;
    Cuts::get().on_cut = [&begun, wait = go.get_future().share(), first = true]() mutable {
        if (std::exchange(first, false)) begun.set_value(), wait.wait();
    };
    std::vector<std::future<Answer>> busy;
    busy.reserve(3);
    for (int i = 0; i < 3; ++i) busy.push_back(ask({i * second, {}}));
    begun.get_future().wait();
    auto other = ask({second, {}}, "other.txt");
    EXPECT_EQ(other.wait_for(30s), std::future_status::ready) << "while the first recording's parts wait";
    go.set_value();
    EXPECT_EQ(other.get().failure, "");
    for (auto& one : busy) EXPECT_EQ(one.get().failure, "");
}

TEST_F(CutterTest, DoesNotWaitLongForAPartThatHangs) {
    start("cutter.threads = 1\n");
    std::promise<void> begun, go;
    Cuts::get().on_cut = [&begun, wait = go.get_future().share()] {
        begun.set_value();
        wait.wait();
    };
    auto running = ask({second, {}});
    begun.get_future().wait();
    EXPECT_FALSE(cutter_->stop(10ms));
    go.set_value();
    EXPECT_EQ(running.get().failure, "");
    while (!cutter_->stop(0ms)) std::this_thread::yield();  // what was left behind holds the cutter
}

TEST_F(CutterTest, GivesSnapshotsOfWhatIsStillWrittenAndKeepsNoFileOfThem) {
    start();
    const auto hold = std::make_shared<int>();
    const auto ask_for = [&](const Cutter::Viewer& viewer, const Times& times = {}) {
        std::promise<std::pair<std::string, std::string>> said;
        cutter_->snapshot({api::RecordFiles::State::Running, records("cam.txt"), hold, {}}, "cam.txt", times, viewer,
                          [&](const Cutter::Snapshot* made, const Error* failure) {
                              if (failure != nullptr) return said.set_value({failure->what(), ""});
                              std::string text;
                              for (const auto& part : made->files) {
                                  std::string bytes(part.count, '\0');
                                  EXPECT_EQ(::pread(part.file->descriptor(), bytes.data(), bytes.size(),
                                                    static_cast<off_t>(part.first)),
                                            static_cast<ssize_t>(bytes.size()));
                                  text += bytes;
                              }
                              said.set_value({text, made->etag});
                          });
        return said.get_future().get();
    };
    const auto first = ask_for({"a", false});
    EXPECT_EQ(first.first, "0 -1 film");
    record("cam.txt", "a longer film");
    EXPECT_EQ(ask_for({"a", true}), first) << "the rest of what it got";
    EXPECT_EQ(ask_for({"b", false}, {second, {}}).first, "1000000 -1 a longer film");
    EXPECT_EQ(ask_for({"b", false}, {200 * second, {}}).first, "not yet: reader txt: cut: the file lasts 100 s");
    EXPECT_THAT(files(), UnorderedElementsAre("cam.txt"));
    cutter_->stop(1min);
    EXPECT_EQ(hold.use_count(), 1);
}

TEST_F(CutterTest, KnowsItsPartsAfterARestart) {
    start("mp4_cutter_dir = parts\n");
    const fs::path part = cut({second, {}}).part;
    EXPECT_EQ(part, folder_.path / "parts" / "cam-s1.txt");
    std::ofstream(folder_.path / "parts" / ".tapedeck-cut-7-1") << "half";
    start("mp4_cutter_dir = parts\n");
    EXPECT_EQ(cut({second, {}}).part, part);
    EXPECT_EQ(Cuts::get().made, 1);
    cut({2 * second, {}});
    EXPECT_FALSE(fs::exists(folder_.path / "parts" / ".tapedeck-cut-7-1"));
}

TEST_F(CutterTest, DeletesAtItsStartWhatNobodyAskedForSoLong) {
    start();
    cut({second, {}});
    cut({2 * second, {}});
    cut({3 * second, {}});
    cutter_.reset();
    CutList list(folder_.path / "state" / "cuts");
    for (const char* name : {"cam.txt?-s1", "cam.txt?-s2"}) {
        KnownCut old = *list.find(name);
        old.used_us -= 3600 * second;
        list.add(name, old);
    }
    start("cutter.max_age = 30min\n");
    EXPECT_EQ(cut({3 * second, {}}).part, records("cam-s3.txt"));
    cut({4 * second, {}});
    cutter_.reset();  // what runs ends, cleaning included
    EXPECT_THAT(files(), UnorderedElementsAre("cam.txt", "cam-s3.txt", "cam-s4.txt"));
}

TEST_F(CutterTest, CutsOtherFormatsThanMp4OnlyWhereThatIsSet) {
    start();
    EXPECT_TRUE(cutter_->can_cut("cam.txt"));
    EXPECT_EQ(cutter_->setting_for("cam.txt"), "");
    start("cutter.other_formats = false\n");
    EXPECT_FALSE(cutter_->can_cut("cam.txt"));
    EXPECT_EQ(cutter_->setting_for("cam.txt"), "cutter.other_formats");
    EXPECT_EQ(cutter_->setting_for("cam.doc"), "") << "no setting helps here";
}

TEST_F(CutterTest, SaysWhatIsWrongAndLeavesNothing) {
    start();
    const Answer late = cut({200 * second, {}});
    EXPECT_EQ(late.status, TD_MALFORMED) << "the times are what is wrong";
    EXPECT_THAT(late.failure, HasSubstr("the file lasts 100 s"));
    Cuts::get().on_cut = [] { throw tapedeck::Error(TD_MALFORMED, "torn"); };
    EXPECT_EQ(cut({second, {}}).status, TD_FAILED) << "here the file is";
    EXPECT_EQ(cut({second, {}}, "none.txt").status, TD_NOT_FOUND);
    EXPECT_THAT(files(), UnorderedElementsAre("cam.txt"));
    EXPECT_TRUE(cutter_->can_cut("a/b.TXT"));
    for (const char* name : {"a.webm", "txt", "", "a.txt/b"}) EXPECT_FALSE(cutter_->can_cut(name)) << name;
}

TEST_F(CutterTest, TellsAllWhoWaitWhenTheServerStops) {
    start("cutter.threads = 1\n");
    std::promise<void> begun, go;
    Cuts::get().on_cut = [&begun, wait = go.get_future().share()] {
        begun.set_value();
        wait.wait();
    };
    auto running = ask({second, {}});
    begun.get_future().wait();
    auto waiting = ask({2 * second, {}});
    auto stopper = std::async(std::launch::async, [&] { cutter_->stop(1min); });
    EXPECT_EQ(waiting.get().status, TD_CANCELLED);
    go.set_value();
    EXPECT_EQ(running.get().failure, "");
    stopper.wait();
    EXPECT_EQ(cut({3 * second, {}}).status, TD_CANCELLED);
}

TEST(CutList, SurvivesLinesThatMakeNoSense) {
    const KnownCut cut{"a b-s1.mp4", {5, 6}, {7, -8}, 9};
    const auto again = parse_cut(format_cut("a b-s1 .mp4", cut));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->asked, "a b-s1 .mp4");
    EXPECT_EQ(again->cut, cut);
    for (const char* line :
         {"", "1", "1\t2\t3\t4\t5", "1\t2\t3\t4\t5\t", "1\t2\t3\t4\t5\tfile", "1\t2\t3\t4\t5\tfile\t",
          "x\t2\t3\t4\t5\tfile\tname", "1\t-2\t3\t4\t5\tfile\tname", "1\t2\t3\t4\t5\t\tname"})
        EXPECT_FALSE(parse_cut(line)) << line;
}

}  // namespace
}  // namespace tapedeck::host::test
