// The plugin as the host sees it: R36 to R41, and scripts that fail, hang, are missing or get a hostile name.
#include "tapedeck/plugin.hpp"

#include <gtest/gtest.h>

#include "scripts.hpp"
#include "testkit/fake_host.hpp"

extern "C" const td_plugin TD_ENTRY;

namespace tapedeck::script {
namespace {

class ScriptHook : public testing::Test {
protected:
    ScriptHook() {
        host_.settings.home(home_.folder().string());
        if (table().create(host_.table(), host_.context(), &self_, &error_) != TD_OK)
            throw std::runtime_error(error_.text);
    }
    ~ScriptHook() override { table().destroy(self_); }
    static const td_hook& table() { return *static_cast<const td_hook*>(TD_ENTRY.extensions[0]->table); }

    td_status event(const std::string& stream, std::int32_t kind = TD_RECORD_STORED, std::uint32_t attempt = 1,
                    std::uint32_t flags = TD_RECORDING_FINAL) {
        td_recording recording{};
        recording.size = sizeof recording;
        recording.flags = flags;
        recording.stream = text_of(stream);
        recording.path = text_of(path_);
        td_event event{};
        event.size = sizeof event;
        event.kind = kind;
        event.attempt = attempt;
        event.recording = &recording;
        error_ = empty_error();
        return table().event(self_, &event, &error_);
    }
    td_status admit(std::int32_t action, const std::string& stream) {
        td_stream_info client{};
        client.size = sizeof client;
        client.name = text_of(stream);
        client.remote = text_of("192.0.2.1:5000");
        error_ = empty_error();
        return table().admit(self_, action, &client, &error_);
    }

    Scripts home_;
    std::string path_ = (home_.folder() / "records/x.mp4").string();
    testkit::FakeHost host_{*TD_ENTRY.extensions[0]};
    td_error error_ = empty_error();
    void* self_ = nullptr;
};

TEST_F(ScriptHook, RunsTheScriptOnceForAFinishedRecording) {
    home_.add("bin/on_record_hook.sh", "#!/bin/sh\necho \"$1|$2|$TAPEDECK_HOME|$(pwd)\" >>calls\necho hello\n");
    EXPECT_EQ(event("cam1"), TD_OK) << error_.text;
    const auto calls = home_.read("calls");
    EXPECT_TRUE(calls.starts_with("cam1|" + path_ + "|" + home_.folder().string())) << calls;
    EXPECT_EQ(std::count(calls.begin(), calls.end(), '\n'), 1);
    EXPECT_EQ(host_.logged("on_record_hook.sh for 'cam1': hello", TD_LOG_INFO), 1u);
}

TEST_F(ScriptHook, RunsItForNothingElse) {
    home_.add("bin/on_record_hook.sh", "#!/bin/sh\necho call >>calls\n");
    EXPECT_EQ(event("cam1", TD_RECORD_STARTED), TD_OK);
    EXPECT_EQ(event("cam1", TD_RECORD_FAILED), TD_OK);
    EXPECT_EQ(event("cam1", TD_RECORD_STORED, 1, TD_RECORDING_FINAL | TD_RECORDING_MULTI), TD_OK);
    host_.settings.set("script", "");
    EXPECT_EQ(event("cam1"), TD_OK);
    EXPECT_EQ(home_.read("calls"), "(none)");
}

TEST_F(ScriptHook, DoesNoHarmWhateverAStreamIsCalled) {
    home_.add("bin/on_record_hook.sh", "#!/bin/bash\nprintf '%s\\n' \"$1\" >>calls\n");
    const std::string hostile = "$(touch pwned) \"x;y";
    EXPECT_EQ(event(hostile), TD_OK) << error_.text;
    EXPECT_EQ(home_.read("calls"), hostile + "\n");
    EXPECT_EQ(event("`touch pwned`;touch pwned\n|| touch pwned"), TD_OK);
    EXPECT_FALSE(fs::exists(home_.folder() / "pwned"));
}

TEST_F(ScriptHook, TriesAFailedScriptAgainAsOftenAsIsSet) {
    home_.add("bin/on_record_hook.sh", "#!/bin/sh\necho trying\necho no space >&2\nexit 3\n");
    host_.settings.set("retries", "2");
    for (const auto& [attempt, again] : {std::pair{1u, 1u}, {2u, 1u}, {3u, 0u}}) {
        EXPECT_EQ(event("cam1", TD_RECORD_STORED, attempt), TD_FAILED);
        EXPECT_STREQ(error_.text, "on_record_hook.sh for 'cam1' failed with exit code 3: no space");
        EXPECT_EQ(error_.retryable, again) << attempt;
    }
    EXPECT_EQ(host_.logged("on_record_hook.sh for 'cam1': trying", TD_LOG_WARNING), 3u);
}

TEST_F(ScriptHook, TriesAScriptThatCannotBeRunAgain) {
    host_.settings.set("retries", "1");
    EXPECT_EQ(event("cam1", TD_RECORD_STORED, 5), TD_NOT_FOUND);
    EXPECT_EQ(error_.text, "there is no script " + (home_.folder() / "bin/on_record_hook.sh").string());
    EXPECT_EQ(error_.retryable, 1u) << "an operator may put it there";
    home_.add("bin/on_record_hook.sh", "#!/bin/sh\n", fs::perms(0644));
    EXPECT_EQ(event("cam1"), TD_DENIED);
    EXPECT_EQ(error_.retryable, 1u);
}

TEST_F(ScriptHook, EndsAScriptThatHangs) {
    home_.add("bin/on_record_hook.sh", "#!/bin/sh\nexec sleep 300\n");
    host_.settings.set("timeout", "200ms");
    EXPECT_EQ(event("cam1"), TD_FAILED);
    EXPECT_STREQ(error_.text,
                 "on_record_hook.sh for 'cam1' was ended: it ran longer than 200 ms (hook.script.timeout)");
    EXPECT_EQ(error_.retryable, 1u);
    EXPECT_EQ(event("cam1", TD_RECORD_STORED, 4), TD_FAILED);
    EXPECT_EQ(error_.retryable, 0u);
}

TEST_F(ScriptHook, GivesUpWhenTheHostStops) {
    home_.add("bin/on_record_hook.sh", "#!/bin/sh\nexec sleep 300\n");
    host_.cancel();
    EXPECT_EQ(event("cam1", TD_RECORD_STORED, 9), TD_CANCELLED);
    EXPECT_EQ(error_.retryable, 1u) << "the next start runs it";
}

TEST_F(ScriptHook, KeepsTheLogShort) {
    home_.add("bin/on_record_hook.sh", "#!/bin/sh\nseq 1 100000\nprintf 'a\\033[31mb\\n'\n");
    const auto before = host_.log().size();
    EXPECT_EQ(event("cam1"), TD_OK);
    EXPECT_EQ(host_.log().size(), before + 101);
    EXPECT_EQ(host_.logged("bytes of its output are left out"), 1u);
}

TEST_F(ScriptHook, AdmitsEverybodyWithoutAnAdmissionScript) {
    EXPECT_EQ(admit(TD_PUBLISH, "cam1"), TD_OK);
}

TEST_F(ScriptHook, AsksTheAdmissionScriptForPublishersOnly) {
    host_.settings.set("admit_script", "bin/admit.sh");
    home_.add("bin/admit.sh", "#!/bin/sh\n[ \"$1|$2\" = 'cam1|192.0.2.1:5000' ] && exit 0\necho \"not you\"\nexit 1\n");
    EXPECT_EQ(admit(TD_PUBLISH, "cam1"), TD_OK) << error_.text;
    EXPECT_EQ(admit(TD_PUBLISH, "cam2"), TD_DENIED);
    EXPECT_STREQ(error_.text, "not you");
    EXPECT_EQ(admit(TD_PLAY, "cam2"), TD_OK);
    EXPECT_EQ(admit(TD_CONNECT, "cam2"), TD_OK);
    home_.add("bin/admit.sh", "#!/bin/sh\nexit 1\n");
    EXPECT_EQ(admit(TD_PUBLISH, "cam1"), TD_DENIED);
    EXPECT_STREQ(error_.text, "refused by the server's admission script");
}

TEST_F(ScriptHook, AdmitsNobodyWhenTheAdmissionScriptIsMissingOrHangs) {
    host_.settings.set("admit_script", "bin/admit.sh");
    EXPECT_EQ(admit(TD_PUBLISH, "cam1"), TD_NOT_FOUND);
    home_.add("bin/admit.sh", "#!/bin/sh\nexec sleep 300\n");
    host_.settings.set("timeout", "200ms");
    EXPECT_EQ(admit(TD_PUBLISH, "cam1"), TD_TIMEOUT);
}

TEST_F(ScriptHook, WaitsNoLongerThanTheLimitForAnAdmissionScriptThatWillNotEnd) {
    host_.settings.set("admit_script", "bin/admit.sh");
    host_.settings.set("timeout", "500ms");
    home_.add("bin/admit.sh", "#!/bin/sh\ntrap 'sleep 0.3; touch lingered; exit' TERM\nwhile :; do sleep 0.05; done\n");
    EXPECT_EQ(admit(TD_PUBLISH, "cam1"), TD_TIMEOUT);
    EXPECT_FALSE(fs::exists(home_.folder() / "lingered")) << "it had time to go on while others waited";
}

}  // namespace
}  // namespace tapedeck::script
