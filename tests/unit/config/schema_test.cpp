#include "config/schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <tuple>

#include "base/error.hpp"
#include "tapedeck/key.hpp"

namespace tapedeck::host {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Pointee;

constexpr Key record_dir = Key::path("record_dir", "records");
constexpr Key fragment = Key::duration("fragment", "500ms").aka("mp4_fragment");
constexpr Key limit_one = Key::duration("limit", "100000").per("ms").aka("webm_cluster_duration_limit");
constexpr Key limit_two = Key::duration("limit", "100000").per("ms").aka("webm_cluster_duration_limit");
constexpr std::array<const td_key*, 1> host_keys{&record_dir};
constexpr std::array<const td_key*, 1> mp4_keys{&fragment};

Schema schema() {
    Schema made;
    made.add("", "", host_keys);
    made.add("writer.mp4", "MP4", mp4_keys);
    return made;
}

TEST(Schema, FullNamesBeginWithTheirOwner) {
    const Schema made = schema();
    EXPECT_EQ(made.find("record_dir")->key, &record_dir);
    EXPECT_EQ(made.find("record_dir")->owner, "");
    EXPECT_EQ(made.find("writer.mp4.fragment")->key, &fragment);
    EXPECT_EQ(made.find("fragment"), nullptr);
    EXPECT_TRUE(made.knows("mp4_fragment"));
    EXPECT_FALSE(made.knows("writer.mp4"));
}

TEST(Schema, SeveralKeysMayShareAnAlias) {
    Schema made = schema();
    const std::array<const td_key*, 1> one{&limit_one}, two{&limit_two};
    made.add("writer.webm", "WebM", one);
    made.add("writer.webm_lavf", "WebM", two);
    EXPECT_THAT(made.aliased("webm_cluster_duration_limit"),
                ElementsAre(Pointee(Field(&Declared::name, "writer.webm.limit")),
                            Pointee(Field(&Declared::name, "writer.webm_lavf.limit"))));
    EXPECT_THAT(made.aliased("record_dir"), ElementsAre());
}

TEST(Schema, APluginAddedAgainReplacesItsKeys) {
    Schema made = schema();
    made.add("writer.mp4", "other", {}, false);
    EXPECT_EQ(made.find("writer.mp4.fragment"), nullptr);
    EXPECT_FALSE(made.knows("mp4_fragment"));
    EXPECT_FALSE(made.enabled("writer.mp4"));
    EXPECT_TRUE(made.enabled(""));
}

TEST(Schema, FamiliesKnowTheirMembers) {
    Schema made;
    made.add_family("prefer.", "Which of two writers of one extension");
    EXPECT_TRUE(made.knows("prefer.webm"));
    EXPECT_FALSE(made.knows("prefer."));
    EXPECT_FALSE(made.knows("preferred"));
}

TEST(Schema, AWrongDeclarationIsRefusedAndChangesNothing) {
    for (const auto& [key, message] :
         {std::pair{td_key(Key::integer("n", "x")),
                    "setting 'n' is declared wrongly: its default 'x' is not a whole number"},
          {td_key(Key::integer("n", "5").within(1, 3)), "its default '5' is out of range; it goes from 1 to 3"},
          {td_key(Key::choice("n", "x", "a|b")), "its default 'x' is none of: a, b"},
          {td_key(Key::duration("n", "1").per("fortnights")), "its default '1' is not a duration"},
          {td_key(Key::boolean("n", "")), "setting 'n' is declared wrongly: it has no default"},
          {td_key(Key::text("n").aka("with space")), "its alias is no name"},
          {td_key(Key::text("a b")), "a setting of '' has no usable name"},
          {td_key(Key::path("record_dir", "")), "setting 'record_dir' is declared twice"}}) {
        Schema made = schema();
        const std::array<const td_key*, 2> keys{&mp4_keys[0][0], &key};
        try {
            made.add("", "", keys);
            ADD_FAILURE() << message;
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr(message));
        }
        EXPECT_EQ(made.keys().size(), 2u);
    }
}

TEST(Schema, ARequiredKeyNeedsNoDefault) {
    static constexpr Key bucket = Key::integer("bucket", "").required();
    Schema made;
    const std::array<const td_key*, 1> keys{&bucket};
    EXPECT_NO_THROW(made.add("storage.s3", "S3", keys));
}

TEST(EditDistance, CountsEditsUpToTheLimit) {
    for (const auto& [one, other, edits] : {std::tuple{"abc", "abc", 0u},
                                            {"abc", "abd", 1u},
                                            {"abc", "ab", 1u},
                                            {"abc", "xabc", 1u},
                                            {"abc", "acb", 1u},
                                            {"fragmnet", "fragment", 1u},
                                            {"kitten", "sitten", 1u},
                                            {"kitten", "sittin", 2u},
                                            {"kitten", "sitting", 3u},
                                            {"abcdef", "ghijkl", 3u},
                                            {"", "ab", 2u},
                                            {"", "abc", 3u}}) {
        EXPECT_EQ(edit_distance(one, other), edits) << one << " " << other;
        EXPECT_EQ(edit_distance(other, one), edits) << other << " " << one;
    }
}

TEST(NearestName, IsWithinTwoEditsAndShortNamesAllowFewer) {
    const std::set<std::string, std::less<>> names{"codecs",         "ip",      "record_dir",
                                                   "record_tmp_dir", "ws.port", "wss.port"};
    for (const auto& [name, nearest] : {std::pair{"record_dri", "record_dir"},
                                        {"recorddirs", "record_dir"},
                                        {"recordings", ""},
                                        {"record_tmpdir", "record_tmp_dir"},
                                        {"wsx.port", "ws.port"},
                                        {"id", ""},
                                        {"", ""},
                                        {"Codecs", "codecs"}})
        EXPECT_EQ(nearest_of(names, name).value_or(""), nearest) << name;
}

}  // namespace
}  // namespace tapedeck::host
