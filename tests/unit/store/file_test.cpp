#include "store/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "doubles.hpp"
#include "store/flusher.hpp"
#include "store/locks.hpp"
#include "store/staging.hpp"

namespace tapedeck::host::test {
namespace {

using ::testing::HasSubstr;

std::vector<td_bytes> spans_of(const std::vector<std::string>& texts) {
    std::vector<td_bytes> spans;
    spans.reserve(texts.size());
    for (const std::string& text : texts) {
        spans.push_back({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    }
    return spans;
}

void put(File& file, std::uint64_t at, const std::string& text) {
    const td_bytes span{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
    file.write(at, &span, 1);
}

std::string all_of(const File& file) {
    std::string text(file.length(), '\0');
    text.resize(file.read(0, reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
    return text;
}

TEST(File, GathersMoreSpansThanOneCallOfTheSystemTakes) {
    const TemporaryFolder folder;
    File file(folder.path / "deep" / "x.part.mp4", File::Mode::Create);
    std::vector<std::string> texts;
    std::string expected;
    for (int n = 0; n < 300; ++n)
        expected += texts.emplace_back(static_cast<std::size_t>(n % 7), static_cast<char>('a' + n % 26));
    const auto spans = spans_of(texts);
    file.write(3, spans.data(), spans.size());
    EXPECT_EQ(all_of(file), std::string(3, '\0') + expected);
    EXPECT_EQ(file.bytes_written(), expected.size());
    std::array<std::uint8_t, 10> end{};
    EXPECT_EQ(file.read(file.length() - 2, end.data(), end.size()), 2u);
    file.truncate(5);
    EXPECT_EQ(file.length(), 5u);
}

/// Large writes go around the system's cache where the file system can (/tmp may, /dev/shm may not).
TEST(File, LargeWritesFromAnyPlaceToAnyPlaceAreWholeAtOnce) {
    for (const char* where : {"/tmp", "/dev/shm"}) {
        const TemporaryFolder folder(where);
        File file(folder.path / "x.part.mp4", File::Mode::Create);
        std::string expected;
        for (const std::size_t size : {5u, 2'500'001u, 100u, 1'048'576u, 4096u * 300, 1'300'000u}) {
            std::vector<std::string> texts;
            for (std::size_t left = size; left > 0;) {
                const std::size_t some = std::min<std::size_t>(left, 1 + (left * 7919) % 70'000);
                std::string& text = texts.emplace_back(some, '\0');
                for (char& c : text)
                    c = static_cast<char>((left * 31 + static_cast<std::size_t>(&c - text.data())) % 251);
                left -= some;
            }
            const auto spans = spans_of(texts);
            const std::size_t at = expected.size();
            for (const std::string& text : texts) expected += text;
            file.write(at, spans.data(), spans.size());
            ASSERT_EQ(file.length(), expected.size()) << where;
            ASSERT_TRUE(all_of(file) == expected) << where << ", after a write of " << size;
        }
        put(file, 1'000'000, std::string(2'000'000, 'z'));  // over what was written either way
        expected.replace(1'000'000, 2'000'000, 2'000'000, 'z');
        EXPECT_TRUE(all_of(file) == expected) << where;
        EXPECT_EQ(file.bytes_written(), expected.size() + 2'000'000);
    }
}

TEST(File, NeverTakesTheNameOfAnotherAndIsItsOwnersAlone) {
    const TemporaryFolder folder;
    const File file(folder.path / "x.part.mp4", File::Mode::Create);
    for (const auto mode : {File::Mode::Create, File::Mode::Open}) {
        try {
            const File other(file.path(), mode);
            ADD_FAILURE();
        } catch (const Error& error) {
            EXPECT_EQ(error.status(), TD_EXISTS);
        }
    }
}

TEST(File, InsertsWholeBlocksOrSaysThatItCannot) {
    for (const char* where : {"/tmp", "/dev/shm"}) {
        const TemporaryFolder folder(where);
        File file(folder.path / "x.part.mp4", File::Mode::Create);
        put(file, 0, std::string(4096, 'a') + std::string(4096, 'b'));
        td_error error{};
        error.size = sizeof error;
        const td_status status = file.table->insert(&file, 4096, 8192, &error);
        if (status == TD_OK) {
            EXPECT_EQ(file.length(), 16384u);
            EXPECT_EQ(all_of(file).substr(12288), std::string(4096, 'b'));
        } else {
            EXPECT_EQ(status, TD_UNSUPPORTED) << error.text;
            EXPECT_EQ(file.length(), 8192u);
        }
        EXPECT_EQ(file.table->insert(&file, 100, 4096, &error), TD_UNSUPPORTED);
        const std::uint64_t changes = file.places()->changes();
        auto hold = file.places()->hold();
        EXPECT_EQ(file.table->insert(&file, 4096, 4096, &error), TD_UNSUPPORTED);
        EXPECT_THAT(error.text, HasSubstr("being downloaded"));
        hold.reset();
        EXPECT_EQ(file.table->insert(&file, 4096, 4096, &error), status);
        EXPECT_GT(file.places()->changes(), changes);
    }
}

TEST(File, CopiesWithinAndAcrossFileSystems) {
    const TemporaryFolder disk("/tmp"), memory("/dev/shm");
    const std::string text = std::string(3u << 20, 'x') + "end";
    for (const auto& [from, to] :
         {std::pair{disk.path, disk.path}, {disk.path, memory.path}, {memory.path, disk.path}}) {
        File source(from / "source", File::Mode::Create), target(to / "target", File::Mode::Create);
        put(source, 0, text);
        put(target, 0, "head");
        target.copy(4, source, 1, text.size() - 1);
        EXPECT_EQ(all_of(target), "head" + text.substr(1));
        EXPECT_THROW(target.copy(0, source, 1, text.size()), Error);
        fs::remove(source.path());
        fs::remove(target.path());
    }
}

TEST(File, ARewriteTakesItsPlaceOnlyWhenCommitted) {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "x.part.mp4";
    {
        File file(path, File::Mode::Create);
        put(file, 0, "old");
        put(file.rewrite(), 0, "given up");
    }
    EXPECT_EQ(text_of_file(path), "old");
    EXPECT_FALSE(fs::exists(File::rewrite_path(folder.path, path)));
    File file(path, File::Mode::Open);
    put(file.rewrite(), 0, "new");
    EXPECT_EQ(text_of_file(path), "old");
    file.commit();
    EXPECT_EQ(text_of_file(path), "new");
    EXPECT_EQ(all_of(file), "new");
    EXPECT_EQ(file.bytes_written(), 3u);
}

TEST(File, ARewriteOnAnotherFileSystemMovesTheFileThere) {
    const TemporaryFolder memory("/dev/shm"), disk("/tmp");
    File file(memory.path / "x.part.mp4", File::Mode::Create);
    file.set_target(disk.path);
    put(file, 0, "media");
    File& fresh = file.rewrite();
    EXPECT_EQ(fresh.path().parent_path(), disk.path);
    put(fresh, 0, "head");
    fresh.copy(4, file, 0, 5);
    file.commit();
    EXPECT_EQ(file.path(), disk.path / "x.part.mp4");
    EXPECT_EQ(text_of_file(file.path()), "headmedia");
    EXPECT_TRUE(fs::is_empty(memory.path));
}

TEST(File, SaysThatTheDiskIsFullAndThatItMayPass) {
    File file("/dev/full", File::Mode::Open);
    const std::vector<std::string> texts{"x"};
    const auto spans = spans_of(texts);
    td_error error{};
    error.size = sizeof error;
    EXPECT_EQ(file.table->write(&file, 0, spans.data(), 1, &error), TD_NO_SPACE);
    EXPECT_EQ(error.retryable, 1u);
    EXPECT_THAT(error.text, HasSubstr("/dev/full"));
}

TEST(File, ComesBackWhenItsFolderIsRemoved) {
    const TemporaryFolder folder;
    File file(folder.path / "in" / "x.part.mp4", File::Mode::Create);
    put(file, 0, "kept");
    file.ensure_linked();
    fs::rename(folder.path / "in", folder.path / "moved");
    file.ensure_linked();
    EXPECT_EQ(text_of_file(file.path()), "kept");
    fs::remove_all(folder.path / "in");
    file.ensure_linked();
    put(file, 4, " on");
    EXPECT_EQ(text_of_file(file.path()), "kept on");
}

TEST(Flusher, SyncsWhatWasWrittenAndSkipsTheRest) {
    const TemporaryFolder folder, memory("/dev/shm");
    SettingsSource source(folder.path, "");
    source.declare("", "", store_keys);
    Flusher flusher(Scope(source, ""));
    File one(folder.path / "one", File::Mode::Create), two(memory.path / "two", File::Mode::Create);
    flusher.add(one);
    flusher.add(two);
    put(one, 0, "x");
    EXPECT_TRUE(one.descriptor()->dirty);
    flusher.flush();
    EXPECT_FALSE(one.descriptor()->dirty);
    EXPECT_FALSE(two.descriptor()->dirty);
}

TEST(Flusher, LeavesTheDiskAloneWhenSwitchedOff) {
    const TemporaryFolder folder;
    SettingsSource source(folder.path, "record_sync = false");
    source.declare("", "", store_keys);
    Flusher flusher(Scope(source, ""));
    File file(folder.path / "one", File::Mode::Create);
    flusher.add(file);
    put(file, 0, "x");
    flusher.flush();
    EXPECT_TRUE(file.descriptor()->dirty);
}

TEST(Flusher, ForgetsClosedFiles) {
    const TemporaryFolder folder;
    SettingsSource source(folder.path, "");
    source.declare("", "", store_keys);
    Flusher flusher(Scope(source, ""));
    std::weak_ptr<Descriptor> closed;
    {
        File file(folder.path / "one", File::Mode::Create);
        flusher.add(file);
        closed = file.descriptor();
    }
    EXPECT_TRUE(closed.expired());
    flusher.flush();
}

TEST(Disk, RefusesAndTellsWhenThereIsLessThanTheMinimum) {
    const TemporaryFolder folder;
    SettingsSource plenty(folder.path, "file_recorder_min_space = 0");
    plenty.declare("", "", store_keys);
    Disk enough(Scope(plenty, ""));
    EXPECT_NO_THROW(enough.require(folder.path));
    EXPECT_TRUE(enough.enough(folder.path));

    SettingsSource greedy(folder.path, "file_recorder_min_space = 8000000g");
    greedy.declare("", "", store_keys);
    Disk full(Scope(greedy, ""));
    std::vector<std::string> told;
    full.on_change(
        [&](const fs::path& where, bool is_enough) { told.push_back(where.string() + (is_enough ? " +" : " -")); });
    try {
        full.require(folder.path / "not" / "yet");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), TD_NO_SPACE);
        EXPECT_THAT(error.what(), ::testing::StartsWith("Not enough available disk space"));
    }
    EXPECT_THAT(told, ::testing::ElementsAre((folder.path / "not" / "yet").string() + " -"));
    EXPECT_FALSE(full.enough(folder.path / "not" / "yet"));
    EXPECT_TRUE(full.enough("/somewhere/else"));
}

TEST(FolderLock, NamesTheProcessThatHoldsIt) {
    const TemporaryFolder folder;
    {
        const FolderLock held(folder.path / "state");
        try {
            const FolderLock second(folder.path / "state");
            FAIL();
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("process id " + std::to_string(::getpid())));
            EXPECT_EQ(error.status(), TD_EXISTS);
        }
    }
    EXPECT_NO_THROW(FolderLock(folder.path / "state"));
}

TEST(Staging, PutsFilesInTheTemporaryFolderElseAtHomeElseAside) {
    const TemporaryFolder folder;
    const fs::path tmp = folder.path / "tmp", aside = folder.path / "aside", home = folder.path / "home";
    EXPECT_EQ(Staging(tmp, aside).folder(home), tmp);
    EXPECT_EQ(Staging("", aside).folder(home), home);
    EXPECT_EQ(Staging("", aside).folder(""), aside);
}

TEST(Staging, GivesEachFileANameThatIsFreeInBothFolders) {
    const TemporaryFolder folder;
    const fs::path tmp = folder.path / "tmp", home = folder.path / "home";
    Staging staging(tmp, folder.path / "aside");
    Recording facts;
    facts.media_session = "s";
    facts.extension = "mp4";
    fs::create_directories(home);
    std::ofstream(home / "s-2.part.mp4") << "left behind";
    EXPECT_EQ(staging.create(facts, home)->path(), tmp / "s-1.part.mp4");
    EXPECT_EQ(staging.create(facts, home)->path(), tmp / "s-3.part.mp4");
    facts.segment = 9;
    EXPECT_EQ(staging.create(facts, home)->path(), tmp / "s-9.part.mp4");
}

TEST(Staging, FindsStrangersAndDeletesTheRewritesOfAKill) {
    const TemporaryFolder folder;
    Staging staging("", folder.path / "aside");
    for (const char* name : {"b-1.part.mp4", "a-1.part.mp4", "known-1.part.mp4", "cam.mp4", ".a-1.part.mp4.rewrite",
                             ".known-1.part.mp4.rewrite", ".foreign"}) {
        std::ofstream(folder.path / name) << "x";
    }
    staging.know("known-1.part.mp4");
    EXPECT_THAT(staging.strays({folder.path}),
                ::testing::ElementsAre(folder.path / "a-1.part.mp4", folder.path / "b-1.part.mp4"));
    EXPECT_FALSE(fs::exists(folder.path / ".a-1.part.mp4.rewrite"));
    EXPECT_TRUE(fs::exists(folder.path / ".known-1.part.mp4.rewrite"));
    EXPECT_TRUE(fs::exists(folder.path / ".foreign"));
}

}  // namespace
}  // namespace tapedeck::host::test
