// The plugin as the host sees it: its settings, and templates of single recordings.
#include "tapedeck/plugin.hpp"

#include <gtest/gtest.h>

#include "facts.hpp"
#include "testkit/fake_host.hpp"

extern "C" const td_plugin TD_ENTRY;

namespace tapedeck::naming {
namespace {

/// The naming of a host with these settings.
class NamingPlugin : public testing::Test {
protected:
    ~NamingPlugin() override {
        if (self_ != nullptr) table().destroy(self_);
    }
    static const td_naming& table() { return *static_cast<const td_naming*>(TD_ENTRY.extensions[0]->table); }
    td_status create() {
        error_ = empty_error();
        return table().create(host_.table(), host_.context(), &self_, &error_);
    }
    std::string name(const Facts& facts, const td_options* options = nullptr) {
        if (self_ == nullptr && create() != TD_OK) return error_.text;
        auto recording = facts.recording();
        recording.options = options;
        std::string result(8, '\0');
        for (int calls = 0; calls < 2; ++calls) {  // too little room first, as the header allows
            std::size_t written = 0;
            EXPECT_EQ(table().name(self_, &recording, result.data(), result.size(), &written, &error_), TD_OK);
            result.resize(written);
        }
        return result;
    }

    testkit::FakeHost host_{*TD_ENTRY.extensions[0]};
    td_error error_{};
    void* self_ = nullptr;
};

TEST_F(NamingPlugin, NamesByTheDefaultTemplate) {
    EXPECT_EQ(name({}), "stream-c43a28b7-9a4d-45f8-a010-57b959a22755-bob");
}

TEST_F(NamingPlugin, NamesAfterTheStreamWhereTheOlderSettingSaysSo) {
    host_.settings.set("policy", "streamName");
    EXPECT_EQ(name({}), "cam1");
    const testkit::FakeSettings::Overrides own{{"template", "own-{login}"}};
    EXPECT_EQ(name({}, testkit::FakeSettings::options(own)), "own-bob");
}

TEST_F(NamingPlugin, TakesTheTemplateOfOneRecordingBeforeItsOwn) {
    const testkit::FakeSettings::Overrides own{{"template", "test"}};
    EXPECT_EQ(name({}, testkit::FakeSettings::options(own)), "test");
    EXPECT_EQ(name({}), "stream-c43a28b7-9a4d-45f8-a010-57b959a22755-bob");
}

TEST_F(NamingPlugin, WarnsOnceAboutEachUnknownElement) {
    host_.settings.set("template", "{streamName}-{foo}");
    ASSERT_EQ(create(), TD_OK);
    EXPECT_EQ(host_.logged("{foo} is not an element", TD_LOG_WARNING), 1u) << "at start-up";
    EXPECT_EQ(name({}), "cam1-{foo}");
    EXPECT_EQ(name({}), "cam1-{foo}");
    EXPECT_EQ(host_.logged("{foo}"), 1u);
}

TEST_F(NamingPlugin, ReadsTheOtherRules) {
    host_.settings.set("template", "{streamName}-{duration}");
    host_.settings.set("exclude", "c");
    host_.settings.set("encode", "true,HEX");
    host_.settings.set("duration_in_all_formats", "true");
    Facts facts;
    facts.extension = "webm";
    EXPECT_EQ(name(facts), "616d312d3230303236");  // am1-20026
}

TEST_F(NamingPlugin, RefusesToStartWithAnUnknownEncoding) {
    host_.settings.set("encode", "true,ROT13");
    EXPECT_EQ(create(), TD_MALFORMED);
    EXPECT_STREQ(error_.text,
                 "encode_record_name (naming.template.encode) is 'true,ROT13'; write false, true,HEX or true,BASE64");
    EXPECT_EQ(self_, nullptr);
}

TEST_F(NamingPlugin, BearsAnyNumberOfTemplatesFromClients) {
    for (int i = 0; i < 1000; ++i) {
        const testkit::FakeSettings::Overrides own{{"template", std::to_string(i) + "-{streamName}"}};
        EXPECT_EQ(name({}, testkit::FakeSettings::options(own)), std::to_string(i) + "-cam1");
    }
}

}  // namespace
}  // namespace tapedeck::naming
