// Files that others read while they are written: their bytes stay where they are.
#include "store/places.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "doubles.hpp"

namespace tapedeck::host::test {
namespace {

TEST(Places, ChangeOnlyWhileNobodyHoldsThem) {
    const auto places = std::make_shared<Places>();
    int moved = 0;
    const auto move = [&] { ++moved; };
    auto one = places->hold(), other = places->hold();
    one.reset();
    EXPECT_FALSE(places->change(move, std::chrono::milliseconds(0)));
    EXPECT_EQ(moved, 0);
    EXPECT_EQ(places->changes(), 0u);
    other.reset();
    EXPECT_TRUE(places->change(move));
    EXPECT_EQ(moved, 1);
    EXPECT_EQ(places->changes(), 1u);
}

TEST(Places, AChangeWaitsForWhoIsSoonDone) {
    const auto places = std::make_shared<Places>();
    auto hold = places->hold();
    std::thread reader([&] { hold.reset(); });
    EXPECT_TRUE(places->change([] {}, std::chrono::minutes(1)));
    reader.join();
}

TEST(Places, AreOfOneFileOnly) {
    EXPECT_NE(std::make_shared<Places>()->id(), std::make_shared<Places>()->id());
}

TEST(UnderWay, IsAFileFromItsFirstByteUntilAllIsDone) {
    const TemporaryFolder folder;
    doubles::Stage::get().clear();
    Server server(folder.path, "");
    Server::Open open = server.begin("cam");
    const fs::path part = open.file.file->path();
    const auto running = server.delivery().under_way("cam.txt");
    ASSERT_TRUE(running);
    EXPECT_EQ(running->path, part);
    EXPECT_EQ(running->places, open.file.file->places());
    EXPECT_FALSE(server.delivery().under_way("cam2.txt"));
    fs::path while_putting;
    doubles::Stage::get().on_put = [&] { while_putting = server.delivery().under_way("cam.txt")->path; };
    server.end(std::move(open));
    EXPECT_TRUE(server.delivery().wait(std::chrono::minutes(1)));
    EXPECT_EQ(while_putting, part);
    EXPECT_FALSE(server.delivery().under_way("cam.txt"));
    server.stop();
    doubles::Stage::get().clear();
}

}  // namespace
}  // namespace tapedeck::host::test
