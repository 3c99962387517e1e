#include "config/reference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "sample_keys.hpp"

namespace tapedeck::host {
namespace {

using testing::HasSubstr;

TEST(Reference, ShowsWhatIsDeclared) {
    SettingsSource source("/home", "");
    sample::declare(source);
    const std::string text = reference(source.current()->schema());
    EXPECT_THAT(text, HasSubstr("| `http.port` | number, 0 to 65535 | `8081` | Port of REST |\n"));
    EXPECT_THAT(text, HasSubstr("| `file_recorder_min_space` | size | `1g` | Free space. Changes with SIGHUP |\n"));
    EXPECT_THAT(text, HasSubstr("| `file_recorder_error_interval` | duration, bare number in min | `60` |  |\n"));
    EXPECT_THAT(text, HasSubstr("\n## writer.mp4\n\nCrash-safe MP4.\n\n| Setting"));
    EXPECT_THAT(text, HasSubstr("| `writer.mp4.moov_first` | true or false | `true` | Also called "
                                "`mp4_container_moov_first`. May be set for one recording |\n"));
    EXPECT_THAT(
        text,
        HasSubstr("| `protocol.rtmp.overflow` | `drop`, `wait` | `drop` | When a disk is slow. May be set for one "
                  "recording |\n"));
    EXPECT_THAT(text, HasSubstr("| `storage.s3.bucket` | text |  | Required |\n"));
    EXPECT_THAT(text, HasSubstr("\n`prefer.<name>`: Which of two writers of one extension.\n"));
}

TEST(Reference, DoesNotDependOnTheOrderOfDeclaration) {
    SettingsSource one("/home", "http.port = 5\n"), other("/elsewhere", "");
    sample::declare(one);
    auto keys = sample::host_keys;
    std::ranges::reverse(keys);
    other.declare("storage.s3", "A bucket", sample::s3_keys, false);
    other.declare("hook.script", "A script for each file", sample::script_keys);
    other.declare("protocol.rtmp", "RTMP ingest", sample::rtmp_keys);
    other.declare("storage.local", "A folder of this machine", sample::local_keys);
    other.declare("naming.template", "Names from a template", sample::naming_keys);
    other.declare("writer.mp4", "Crash-safe MP4", sample::mp4_keys);
    other.declare_family("prefer.", "Which of two writers of one extension");
    other.declare("", "", keys);
    EXPECT_EQ(reference(one.current()->schema()), reference(other.current()->schema()));
}

TEST(Reference, TextsCannotBreakTheTable) {
    static constexpr Key odd = Key::text("odd", "<a|b>").about("one | two\nthree <four> `<five>`");
    const std::array<const td_key*, 1> keys{&odd};
    Schema schema;
    schema.add("", "", keys);
    EXPECT_THAT(reference(schema), HasSubstr("| `odd` | text | `<a\\|b>` | one \\| two three \\<four> `<five>` |\n"));
}

}  // namespace
}  // namespace tapedeck::host
