// /client/records/ and /client2/: parts, versions, names and what must stay hidden.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>
#include <future>

#include "api/file_sender.hpp"
#include "base/at_once.hpp"
#include "fixture.hpp"

namespace tapedeck::host::api::test {
namespace {

class FilesTest : public ServerTest {
protected:
    FilesTest() { write("stream.mp4", "0123456789"); }
};

TEST_F(FilesTest, AreServedWholeWithWhatABrowserNeeds) {
    start();
    const auto reply = ask("GET", "/client/records/stream.mp4");
    EXPECT_EQ(reply.status_line, "HTTP/1.1 200 OK");
    EXPECT_EQ(reply.body, "0123456789");
    EXPECT_EQ(reply.header("content-length"), "10");
    EXPECT_EQ(reply.header("content-type"), "video/mp4");
    EXPECT_EQ(reply.header("content-disposition"), "inline;filename=\"stream.mp4\"");
    EXPECT_EQ(reply.header("accept-ranges"), "bytes");
    EXPECT_TRUE(reply.header("etag").starts_with('"')) << reply.header("etag");
    EXPECT_TRUE(reply.header("last-modified").ends_with(" GMT")) << reply.header("last-modified");
}

TEST_F(FilesTest, AnswerHeadWithoutABody) {
    start();
    auto connection = client();
    const auto reply = connection.ask("HEAD", "/client/records/stream.mp4");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("content-length"), "10");
    EXPECT_EQ(connection.ask("GET", "/client/records/stream.mp4").body, "0123456789")
        << "nothing of a body came between";
    EXPECT_EQ(connection.ask("HEAD", "/client/records/none.mp4").status, 404);
    EXPECT_EQ(connection.ask("GET", "/client/records/stream.mp4").status, 200);
}

TEST_F(FilesTest, AreServedInParts) {
    start();
    struct Row {
        const char* range;
        int status;
        const char *content_range, *body;
    };
    for (const auto& [range, status, content_range, body] : {
             Row{"bytes=0-3", 206, "bytes 0-3/10", "0123"},
             Row{"bytes=4-", 206, "bytes 4-9/10", "456789"},
             Row{"bytes=-2", 206, "bytes 8-9/10", "89"},
             Row{"bytes=9-9", 206, "bytes 9-9/10", "9"},
             Row{"bytes=0-99", 206, "bytes 0-9/10", "0123456789"},
             Row{"bytes=3-1", 200, "", "0123456789"},
             Row{"seconds=1-2", 200, "", "0123456789"},
         }) {
        const auto reply = ask("GET", "/client/records/stream.mp4", {}, {{"Range", range}});
        EXPECT_EQ(reply.status, status) << range;
        EXPECT_EQ(reply.header("content-range"), content_range) << range;
        EXPECT_EQ(reply.body, body) << range;
    }
    const auto beyond = ask("GET", "/client/records/stream.mp4", {}, {{"Range", "bytes=10-"}});
    EXPECT_EQ(beyond.status, 416);
    EXPECT_EQ(beyond.header("content-range"), "bytes */10");
}

TEST_F(FilesTest, AreNotSentAgainToWhoHasThem) {
    start();
    const auto first = ask("GET", "/client/records/stream.mp4");
    const auto etag = first.header("etag"), modified = first.header("last-modified");
    for (const auto& [name, value] : {std::pair{"If-None-Match", etag}, {"If-Modified-Since", modified}}) {
        const auto reply = ask("GET", "/client/records/stream.mp4", {}, {{name, value}});
        EXPECT_EQ(reply.status, 304) << name;
        EXPECT_EQ(reply.body, "");
        EXPECT_EQ(reply.header("etag"), etag);
    }
    EXPECT_EQ(ask("GET", "/client/records/stream.mp4", {}, {{"If-None-Match", "\"other\""}}).status, 200);
    EXPECT_EQ(ask("GET", "/client/records/stream.mp4", {}, {{"Range", "bytes=0-0"}, {"If-Range", etag}}).status, 206);
    EXPECT_EQ(ask("GET", "/client/records/stream.mp4", {}, {{"Range", "bytes=0-0"}, {"If-Range", "\"old\""}}).body,
              "0123456789")
        << "a part of another file would not fit";
    write("stream.mp4", "changed now");
    EXPECT_EQ(ask("GET", "/client/records/stream.mp4", {}, {{"If-None-Match", etag}}).body, "changed now");
}

TEST_F(FilesTest, HaveTheTypeOfTheirExtension) {
    start();
    for (const auto& [name, type] : {std::pair{"a.mp4", "video/mp4"},
                                     {"a.MP4", "video/mp4"},
                                     {"a.webm", "video/webm"},
                                     {"a.mkv", "video/x-matroska"},
                                     {"a.ts", "video/mp2t"},
                                     {"a.html", "application/octet-stream"},
                                     {"mp4", "application/octet-stream"}}) {
        write(name, "x");
        EXPECT_EQ(ask("GET", fmt::format("/client/records/{}", name)).header("content-type"), type) << name;
    }
}

TEST_F(FilesTest, AreDownloadedUnderTheirNameWhenSoSet) {
    rest_.disposition = "attachment";
    write("cam1/a \"b\".mp4", "x");
    start();
    EXPECT_EQ(ask("GET", "/client/records/stream.mp4").header("content-disposition"),
              "attachment;filename=\"stream.mp4\"");
    EXPECT_EQ(ask("GET", "/client/records/cam1/a%20%22b%22.mp4").header("content-disposition"),
              "attachment;filename=\"a \\\"b\\\".mp4\"");
    EXPECT_EQ(ask("GET", "/client/records/cam1%2Fa%20%22b%22.mp4").status, 200) << "the slash may be encoded";
}

TEST_F(FilesTest, OutsideTheFolderAreNotReached) {
    std::ofstream(folder_ / "secret.txt") << "secret";
    std::filesystem::create_directories(files_.folder / "sub");
    start();
    for (const auto* path : {"../secret.txt",
                             "%2e%2e/secret.txt",
                             "%2e%2e%2fsecret.txt",
                             "sub/../../secret.txt",
                             "sub/%2E%2E/%2E%2E/secret.txt",
                             "..%2fsecret.txt",
                             "..%5csecret.txt",
                             "/etc/passwd",
                             "%2fetc%2fpasswd",
                             "./stream.mp4",
                             "//stream.mp4",
                             "",
                             "sub",
                             "sub/",
                             "stream.mp4%00.txt",
                             "stream.mp4/",
                             "stream.mp4/x",
                             "%",
                             "none.mp4",
                             ".."}) {
        const auto reply = ask("GET", fmt::format("/client/records/{}", path));
        EXPECT_EQ(reply.status, 404) << path;
        EXPECT_EQ(reply.body.find("root:"), std::string::npos);
    }
    for (const auto& name : files_.asked) EXPECT_EQ(name.find(".."), std::string::npos) << name;
}

TEST_F(FilesTest, ThatAreStillWrittenAreServedAsFarAsTheyAre) {
    const auto hold = std::make_shared<int>();
    write("now.webm", "0123456789");
    files_.running["now.webm"] = hold;
    start();
    auto connection = client();
    const auto first = connection.ask("GET", "/client/records/now.webm");
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.body, "0123456789");
    EXPECT_EQ(first.header("cache-control"), "no-store");
    EXPECT_EQ(first.header("etag") + first.header("last-modified"), "") << "no two answers are alike";
    EXPECT_EQ(connection.ask("GET", "/client/records/now.webm", {}, {{"Range", "bytes=4-"}}).header("content-range"),
              "bytes 4-9/10");
    write("now.webm", "0123456789abcdef");
    const auto more = connection.ask("GET", "/client/records/now.webm", {}, {{"Range", "bytes=10-"}});
    EXPECT_EQ(more.status, 206);
    EXPECT_EQ(more.body, "abcdef");
    EXPECT_EQ(connection.ask("GET", "/client/records/now.webm", {}, {{"If-None-Match", "*"}}).status, 200);
    files_.running["now.webm"] = nullptr;
    const auto early = connection.ask("GET", "/client/records/now.webm");
    EXPECT_EQ(early.status, 404);
    EXPECT_NE(early.body.find("still running"), std::string::npos) << early.body;
    server_->stop();
    workers_.reset();
    EXPECT_EQ(hold.use_count(), 1) << "it is held while it is sent, and no longer";
}

TEST_F(FilesTest, ThatAreStillWrittenAreServedAsMp4WithAnIndexOfTheirOwn) {
    write("now.mp4", "media");
    files_.running["now.mp4"] = std::make_shared<int>();
    start();
    const auto whole = ask("GET", "/client/records/now.mp4", {}, {{"User-Agent", "player"}});
    EXPECT_EQ(whole.body, "-1 -1 media");
    EXPECT_EQ(whole.header("content-type"), "video/mp4");
    EXPECT_EQ(whole.header("cache-control"), "no-store");
    EXPECT_EQ(whole.header("etag"), "\"made\"");
    EXPECT_EQ(ask("GET", "/client/records/now.mp4?start=1&end=2").body, "1000000 2000000 media");
    struct Row {
        const char *range, *body;
        bool goes_on;
    };
    for (const auto& [range, body, goes_on] :
         {Row{"bytes=0-", "-1 -1 media", false}, Row{"bytes=1-7", "1 -1 me", true}, Row{"bytes=3-4", "-1", true},
          Row{"bytes=7-", "edia", true}, Row{"bytes=-4", "edia", true}}) {
        EXPECT_EQ(ask("GET", "/client/records/now.mp4", {}, {{"Range", range}}).body, body) << range;
        EXPECT_EQ(cuts_.viewers.back().goes_on, goes_on) << range;
    }
    EXPECT_EQ(cuts_.viewers.front().client, "127.0.0.1 player");
    cuts_.failure = Error("not yet", TD_NOT_FOUND);
    EXPECT_EQ(ask("GET", "/client/records/now.mp4").status, 404);
}

TEST_F(FilesTest, ThatAreNoFilesAreNotServed) {
    ASSERT_EQ(mkfifo((files_.folder / "pipe.mp4").c_str(), 0600), 0);
    start();
    EXPECT_EQ(ask("GET", "/client/records/pipe.mp4").status, 404);
}

TEST_F(FilesTest, OfAnySizeArriveUnchanged) {
    std::string large(5'000'003, '\0');
    std::uint32_t state = 1;
    for (auto& c : large) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    write("large.ts", large);
    write("empty.ts", "");
    options_.https = true;
    start();
    EXPECT_TRUE(ask("GET", "/client/records/large.ts").body == large);
    Client secure(server_->https_port(), Client::Tls{});
    EXPECT_TRUE(secure.ask("GET", "/client/records/large.ts").body == large);
    const auto empty = ask("GET", "/client/records/empty.ts");
    EXPECT_EQ(empty.status, 200);
    EXPECT_EQ(empty.header("content-length"), "0");
}

TEST_F(FilesTest, ThatShrinkWhileTheyAreSentEndTheConnection) {
    std::string large;
    large.resize(20'000'000, 'x');
    write("large.ts", large);
    start();
    auto connection = client();
    connection.shrink_receive_buffer();
    connection.send("GET /client/records/large.ts HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_EQ(connection.receive(true).value().status, 200);
    std::filesystem::resize_file(files_.folder / "large.ts", 10);
    EXPECT_TRUE(connection.is_ended()) << "what is missing cannot be made up";
}

TEST_F(FilesTest, AreThoughtToBeInMemoryOnlyWhereNobodyElseIsAskedForThem) {
    const auto path = files_.folder / "stream.mp4";
    const auto open = [&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); };
    const OpenFile strange(open()), local(open(), true);
    EXPECT_FALSE(is_in_memory(strange, 0, 10)) << "a network's file, as far as is known";
    EXPECT_FALSE(is_in_memory(local, 1 << 30, 10));
}

TEST_F(FilesTest, AreServedInPartsByTime) {
    start();
    const auto part = ask("GET", "/client/records/stream.mp4?start=11&end=60.5");
    EXPECT_EQ(part.status, 200);
    EXPECT_EQ(part.body, "11000000 60500000");
    EXPECT_EQ(part.header("content-type"), "video/mp4");
    EXPECT_EQ(part.header("content-disposition"), "inline;filename=\"part-of-stream.mp4\"");
    EXPECT_EQ(ask("GET", "/client/records/stream.mp4?start=11").body, "11000000 -1");
    EXPECT_EQ(ask("GET", "/client/records/stream.mp4?end=0.25").body, "-1 250000");
    EXPECT_EQ(ask("GET", "/client/records/stream.mp4?start=7", {}, {{"Range", "bytes=0-1"}}).body, "70");
    EXPECT_EQ(ask("GET", "/client/records/stream.mp4?start=7", {}, {{"If-None-Match", "*"}}).status, 304);
    EXPECT_EQ(ask("GET", "/client/records/stream.mp4?other=7").body, "0123456789");
}

TEST_F(FilesTest, AreServedInPartsMadeBeforeThoughTheDiskHangs) {
    write("made.mp4", "abcdef");
    start();
    std::promise<void> disk;
    const auto hangs = disk.get_future().share();
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(workers_->post([hangs] { hangs.wait(); }));
    cuts_.made_before = files_.folder / "made.mp4";
    const auto part = ask("GET", "/client/records/stream.mp4?start=11&end=60.5");
    EXPECT_EQ(part.body, "abcdef");
    EXPECT_EQ(part.header("content-disposition"), "inline;filename=\"made.mp4\"");
    EXPECT_EQ(ask("GET", "/client/records/stream.mp4?start=1", {}, {{"Range", "bytes=2-3"}}).body, "cd");
    disk.set_value();
    EXPECT_EQ(ask("GET", "/client/records/stream.mp4?start=abc").status, 400);
    EXPECT_TRUE(cuts_.asked.empty());
}

TEST_F(FilesTest, InMemoryAreServedByNoJob) {
    write("film.ts", "0123456789");
    start();
    if (!is_local(files_.folder)) GTEST_SKIP() << "the folder for temporary files may ask a network";
    const auto is_located = [&] {
        files_.asked.clear();
        EXPECT_EQ(ask("GET", "/client/records/film.ts").body, "0123456789");
        return !files_.asked.empty();
    };
    int jobs = 0;
    for (int i = 0; i < 20; ++i) jobs += is_located();
    EXPECT_LT(jobs, 10) << "the kernel may be busy with the folders now and then";
    files_.running["film.ts"] = std::make_shared<int>(1);
    EXPECT_TRUE(is_located()) << "what is still written is told by those who know";
}

TEST_F(FilesTest, ArriveWhollyAlsoWhereTheConnectionEndsBehindThem) {
    const std::string large(5'000'003, 'x');
    write("large.ts", large);
    start();
    auto slow = client();
    slow.shrink_receive_buffer();
    slow.send("GET /client/records/large.ts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const auto reply = slow.receive();
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->body == large);
    EXPECT_TRUE(slow.is_ended());
}

TEST_F(FilesTest, OfOtherKindsAreServedWholeWhateverPartIsWanted) {
    write("film.webm", "webm");
    start();
    EXPECT_EQ(ask("GET", "/client/records/film.webm?start=1&end=2").body, "webm");
    EXPECT_EQ(ask("GET", "/client/records/film.webm?start=abc").body, "webm");
    EXPECT_TRUE(cuts_.asked.empty());
}

TEST_F(FilesTest, ThatAreNotCutComeWholeAndSayWhichSettingWouldCutThem) {
    write("film.webm", "0123456789");
    start();
    const auto reply = ask("GET", "/client/records/film.webm?start=1&end=2");
    EXPECT_EQ(reply.body, "0123456789");
    EXPECT_NE(reply.header("warning").find("cutter.other_formats"), std::string::npos) << reply.header("warning");
    EXPECT_EQ(ask("GET", "/client/records/film.webm").header("warning"), "");
    EXPECT_EQ(ask("GET", "/client/records/stream.mp4?start=1").header("warning"), "");
}

TEST_F(FilesTest, HaveNoPartBetweenTimesThatMakeNoSense) {
    start();
    for (const std::string query :
         {"start=abc", "start=", "start", "end=", "start=-1", "end=-1", "start=5&end=5", "start=6&end=5", "end=0",
          "start=1e3", "start=0x10", "start=+5", "start=1,5", "start=.5", "start=5.", "start=1.2.3", "start=nan",
          "start=10000000000", "start=%zz"}) {
        const auto reply = ask("GET", "/client/records/stream.mp4?" + query);
        EXPECT_EQ(reply.status, 400) << query;
        EXPECT_NE(reply.body.find("BadRequestException"), std::string::npos) << reply.body;
        EXPECT_TRUE(reply.body.find("seconds") != std::string::npos || reply.body.find("larger") != std::string::npos)
            << reply.body;
    }
    EXPECT_TRUE(cuts_.asked.empty());
}

TEST_F(FilesTest, SayWhyAPartCannotBeMade) {
    start();
    struct Row {
        td_status reason;
        int status;
    };
    for (const auto& [reason, status] :
         {Row{TD_MALFORMED, 400}, Row{TD_NOT_FOUND, 404}, Row{TD_CANCELLED, 503}, Row{TD_FAILED, 500}}) {
        cuts_.failure = Error("the very reason", reason);
        const auto reply = ask("GET", "/client/records/stream.mp4?start=1");
        EXPECT_EQ(reply.status, status);
        EXPECT_NE(reply.body.find("the very reason"), std::string::npos) << reply.body;
    }
    EXPECT_EQ(ask("GET", "/client/records/stream.mp4?start=1").header("content-type"),
              "application/json;charset=UTF-8");
}

class PagesTest : public ServerTest {
protected:
    PagesTest() {
        page("index.html", "<p>first");
        page("shop/index.html", "<p>shop");
        page("shop/a.js", "let a;");
    }
    void page(const std::string& name, std::string_view text) const {
        const auto path = folder_ / "client2" / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
};

TEST_F(PagesTest, AreServedAsBrowsersRunThem) {
    page("a.css", "x");
    page("A.HTML", "x");
    page("a.mp4", "x");
    page("a", "x");
    start();
    struct Row {
        const char *path, *type, *body;
    };
    for (const auto& [path, type, body] : {Row{"", "text/html;charset=UTF-8", "<p>first"},
                                           {"shop/", "text/html;charset=UTF-8", "<p>shop"},
                                           {"shop/a.js?v=1", "text/javascript;charset=UTF-8", "let a;"},
                                           {"shop%2Fa.js", "text/javascript;charset=UTF-8", "let a;"},
                                           {"a.css", "text/css;charset=UTF-8", "x"},
                                           {"A.HTML", "text/html;charset=UTF-8", "x"},
                                           {"a.mp4", "video/mp4", "x"},
                                           {"a", "application/octet-stream", "x"}}) {
        const auto reply = ask("GET", fmt::format("/client2/{}", path));
        EXPECT_EQ(reply.status, 200) << path;
        EXPECT_EQ(reply.header("content-type"), type) << path;
        EXPECT_EQ(reply.body, body) << path;
        EXPECT_EQ(reply.header("content-disposition"), "") << path;
    }
}

TEST_F(PagesTest, AreSentInPartsAndOnlyToWhoLacksThem) {
    start();
    auto connection = client();
    const auto head = connection.ask("HEAD", "/client2/shop/a.js");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.header("content-length"), "6");
    EXPECT_TRUE(head.header("last-modified").ends_with(" GMT"));
    EXPECT_EQ(connection.ask("GET", "/client2/shop/a.js", {}, {{"If-None-Match", head.header("etag")}}).status, 304);
    const auto part = connection.ask("GET", "/client2/shop/a.js", {}, {{"Range", "bytes=4-"}});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, "a;");
    EXPECT_EQ(connection.ask("POST", "/client2/shop/a.js").status, 405);
}

TEST_F(PagesTest, OfAFolderAreFoundBehindItsSlash) {
    start();
    const auto reply = ask("GET", "/client2/shop?a=b");
    EXPECT_EQ(reply.status, 301);
    EXPECT_EQ(reply.header("location"), "/client2/shop/?a=b");
}

TEST_F(PagesTest, OutsideTheFolderAreNotReachedByNameNorByLink) {
    std::ofstream(folder_ / "secret.txt") << "secret";
    std::filesystem::create_directories(folder_ / "client2-other");
    std::ofstream(folder_ / "client2-other" / "index.html") << "secret";
    std::filesystem::create_symlink(folder_ / "secret.txt", folder_ / "client2" / "link.txt");
    std::filesystem::create_symlink("../client2-other", folder_ / "client2" / "other");
    std::filesystem::create_symlink("shop", folder_ / "client2" / "inside");
    ::mkfifo((folder_ / "client2" / "fifo").c_str(), 0600);
    start();
    EXPECT_EQ(ask("GET", "/client2/inside/a.js").body, "let a;");
    for (const auto* path :
         {"../secret.txt", "%2e%2e/secret.txt", "shop/..%2f..%2fsecret.txt", "link.txt", "other", "other/",
          "other/index.html", "fifo", "/", "shop//a.js", "shop/none", "none/", "%", "..", "a.js%00", "shop/a.js/"}) {
        const auto reply = ask("GET", fmt::format("/client2/{}", path));
        EXPECT_EQ(reply.status, 404) << path;
    }
}

TEST_F(PagesTest, AreMissingWithoutTheirFolder) {
    std::filesystem::remove_all(folder_ / "client2");
    start();
    EXPECT_EQ(ask("GET", "/client2/").status, 404);
}

}  // namespace
}  // namespace tapedeck::host::api::test
