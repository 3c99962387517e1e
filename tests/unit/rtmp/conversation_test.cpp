#include "rtmp/conversation.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bytes.hpp"
#include "rtmp/chunk.hpp"

namespace tapedeck::rtmp {
namespace {

using amf::Null;
using amf::Object;
using amf::Value;

/// Notes what it is asked and answers when the test does.
struct Notes : Decisions {
    void connect(const ConnectRequest& request) override { connects.push_back(request); }
    void publish(const PublishRequest& request) override { publishes.push_back(request); }
    void unpublish(std::string_view how) override { ends.emplace_back(how); }
    void metadata(const Object& values) override { data.push_back(values); }

    std::vector<ConnectRequest> connects;
    std::vector<PublishRequest> publishes;
    std::vector<std::string> ends;
    std::vector<Object> data;
};

struct Answer {
    MessageType type;
    std::uint32_t stream;
    Bytes payload;
};

class ConversationTest : public testing::Test {
protected:
    void say(const std::vector<Value>& values, std::uint32_t stream = 0, MessageType type = MessageType::command_amf0) {
        Bytes payload;
        if (type == MessageType::command_amf3 || type == MessageType::data_amf3) payload.push_back(0);
        for (const auto& value : values) amf::write(payload, value);
        conversation.message(type, stream, payload);
    }
    void connect(const char* app = "live") {
        say({"connect", 1.0, Object().set("app", app).set("tcUrl", "rtmp://h/live").set("flashVer", "FMLE/3.0")});
    }
    /// Up to the question whether `name` may be published.
    void ask_to_publish(const char* name = "cam") {
        connect();
        conversation.accept();
        say({"createStream", 4.0, Null{}});
        say({"publish", 5.0, Null{}, name, "live"}, 1);
    }
    /// All that was sent since the last call.
    std::vector<Answer> answers() {
        Batch batch;
        reader.read(conversation.output(), batch);
        std::vector<Answer> all;
        for (const auto& message : batch.messages) all.push_back({message.type, message.stream, batch.gather(message)});
        conversation.output().clear();
        return all;
    }
    /// Names of commands and codes of statuses sent since the last call.
    std::vector<std::string> said() {
        std::vector<std::string> all;
        for (const auto& answer : answers()) {
            if (answer.type != MessageType::command_amf0) {
                all.push_back("type " + std::to_string(static_cast<int>(answer.type)));
                continue;
            }
            const auto values = amf::read_all(answer.payload);
            auto text = std::string(values[0].text());
            if (const auto* info = values.size() > 3 ? values[3].object() : nullptr)
                text += " " + std::string(info->find("code")->text());
            all.push_back(text);
        }
        return all;
    }

    Notes notes;
    Conversation conversation{notes};
    ChunkReader reader{ChunkLimits{}};
};

using Said = std::vector<std::string>;

TEST_F(ConversationTest, AsksBeforeItAcceptsAConnection) {
    connect("live?user=me");
    ASSERT_EQ(notes.connects.size(), 1u);
    EXPECT_EQ(notes.connects[0].application, "live");
    EXPECT_EQ(notes.connects[0].agent, "FMLE/3.0");
    EXPECT_TRUE(conversation.waits());
    EXPECT_TRUE(answers().empty());
    conversation.accept();
    EXPECT_FALSE(conversation.waits());
    EXPECT_EQ(said(), (Said{"type 5", "type 6", "_result NetConnection.Connect.Success"}));
    EXPECT_EQ(reader.chunk_size(), Conversation::chunk_size) << "the client was told of larger chunks";
}

TEST_F(ConversationTest, RejectsAConnectionWithTheReason) {
    connect();
    conversation.reject("no such client");
    const auto sent = answers();
    ASSERT_EQ(sent.size(), 1u);
    const auto values = amf::read_all(sent[0].payload);
    EXPECT_EQ(values[0].text(), "_error");
    EXPECT_EQ(values[1].number(), 1.0);
    EXPECT_EQ(values[3].object()->find("code")->text(), "NetConnection.Connect.Rejected");
    EXPECT_EQ(values[3].object()->find("description")->text(), "no such client");
}

TEST_F(ConversationTest, PublishesAsFfmpegAndObsAskForIt) {
    connect();
    conversation.accept();
    answers();
    say({"releaseStream", 2.0, Null{}, "cam?token=t"});
    say({"FCPublish", 3.0, Null{}, "cam?token=t"});
    say({"createStream", 4.0, Null{}});
    EXPECT_EQ(said(), (Said{"_result", "_result", "_result"}));
    say({"publish", 5.0, Null{}, "cam?token=t", "live"}, 1);
    ASSERT_EQ(notes.publishes.size(), 1u);
    EXPECT_EQ(notes.publishes[0].name, "cam");
    EXPECT_EQ(notes.publishes[0].parameters, (Parameters{{"token", "t"}}));
    EXPECT_TRUE(conversation.waits());
    conversation.start();
    EXPECT_EQ(said(), (Said{"onFCPublish NetStream.Publish.Start", "type 4", "onStatus NetStream.Publish.Start"}));
    say({"FCUnpublish", 6.0, Null{}, "cam"});
    EXPECT_EQ(notes.ends, (Said{"FCUnpublish"}));
    EXPECT_EQ(said(), (Said{"onFCUnpublish NetStream.Unpublish.Success", "onStatus NetStream.Unpublish.Success"}));
    say({"deleteStream", 7.0, Null{}, 1.0});
    EXPECT_EQ(notes.ends.size(), 1u) << "it was over";
}

TEST_F(ConversationTest, PublishesForClientsThatSendNoMoreThanTheyMust) {
    connect();
    conversation.accept();
    say({"createStream", 2.0, Null{}});
    say({"publish", 0.0, Null{}, "cam"}, 1);
    answers();
    conversation.start();
    EXPECT_EQ(said(), (Said{"type 4", "onStatus NetStream.Publish.Start"}));
    say({"deleteStream", 0.0, Null{}, 9.0});
    EXPECT_TRUE(notes.ends.empty()) << "another stream's end";
    say({"deleteStream", 0.0, Null{}, 1.0});
    EXPECT_EQ(notes.ends, (Said{"deleteStream"}));
}

TEST_F(ConversationTest, ReadsCommandsAndDataInTheirAmf3Wrapper) {
    say({"connect", 1.0, Object().set("app", "live").set("objectEncoding", 3.0)}, 0, MessageType::command_amf3);
    conversation.accept();
    say({"createStream", 2.0, Null{}}, 0, MessageType::command_amf3);
    say({"publish", 3.0, Null{}, "cam"}, 1, MessageType::command_amf3);
    ASSERT_EQ(notes.publishes.size(), 1u);
    conversation.start();
    say({"@setDataFrame", "onMetaData", Object().set("title", "x")}, 1, MessageType::data_amf3);
    EXPECT_EQ(notes.data.size(), 1u);
    const auto first = answers();
    const auto connected = amf::read_all(first[2].payload);
    EXPECT_EQ(connected[3].object()->find("objectEncoding")->number(3), 0.0) << "the client is told to use AMF0";
}

TEST_F(ConversationTest, RefusesANameWithTheReason) {
    ask_to_publish();
    answers();
    conversation.refuse("Stream name is already in use");
    const auto sent = answers();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].stream, 1u);
    const auto values = amf::read_all(sent[0].payload);
    EXPECT_EQ(values[0].text(), "onStatus");
    EXPECT_EQ(values[3].object()->find("level")->text(), "error");
    EXPECT_EQ(values[3].object()->find("code")->text(), "NetStream.Publish.BadName");
    EXPECT_EQ(values[3].object()->find("description")->text(), "Stream name is already in use");
}

TEST_F(ConversationTest, RefusesAnEmptyNameAndASecondStream) {
    ask_to_publish("?token=x");
    EXPECT_TRUE(notes.publishes.empty());
    EXPECT_EQ(said().back(), "onStatus NetStream.Publish.BadName");
    say({"publish", 5.0, Null{}, "cam"}, 1);
    conversation.start();
    answers();
    say({"publish", 6.0, Null{}, "other"}, 2);
    EXPECT_EQ(said(), (Said{"onStatus NetStream.Publish.BadName"}));
    EXPECT_EQ(notes.publishes.size(), 1u);
}

TEST_F(ConversationTest, PublishesAgainAfterAnEnd) {
    ask_to_publish();
    conversation.start();
    say({"closeStream", 0.0, Null{}}, 1);
    EXPECT_EQ(notes.ends, (Said{"closeStream"}));
    say({"publish", 0.0, Null{}, "cam"}, 1);
    EXPECT_EQ(notes.publishes.size(), 2u);
    EXPECT_TRUE(conversation.waits());
}

TEST_F(ConversationTest, TellsAKickedClientWhy) {
    ask_to_publish();
    conversation.start();
    answers();
    conversation.kick("terminated over REST");
    EXPECT_EQ(said(), (Said{"onStatus NetStream.Publish.Rejected", "onStatus NetStream.Unpublish.Success",
                            "close NetConnection.Connect.Closed"}));
    say({"createStream", 9.0, Null{}});
    EXPECT_TRUE(answers().empty()) << "what comes afterwards is not answered";
}

TEST_F(ConversationTest, DoesNotPlay) {
    connect();
    conversation.accept();
    answers();
    say({"play", 4.0, Null{}, "cam"}, 1);
    EXPECT_EQ(said(), (Said{"onStatus NetStream.Play.Failed"}));
}

TEST_F(ConversationTest, AcknowledgesEachWindow) {
    connect();
    conversation.accept();
    answers();
    conversation.received(5'000'000);
    EXPECT_TRUE(answers().empty()) << "the client asked for none";
    conversation.message(MessageType::window_size, 0, big_endian(1000, 4));
    conversation.received(5'000'500);
    conversation.received(0x1'0000'0010);
    const auto sent = answers();
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[0].type, MessageType::acknowledgement);
    EXPECT_EQ(sent[0].payload, big_endian(5'000'500, 4));
    EXPECT_EQ(sent[1].payload, big_endian(0x10, 4)) << "the sequence number wraps";
    conversation.received(0x1'0000'0020);
    EXPECT_TRUE(answers().empty());
}

TEST_F(ConversationTest, AnswersPings) {
    conversation.message(MessageType::user_control, 0, hex("0006 01020304"));
    auto sent = answers();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].payload, hex("0007 01020304"));
    conversation.message(MessageType::user_control, 0, hex("0003 00000001 00000bb8"));  // buffer length
    EXPECT_TRUE(answers().empty());
    conversation.ping(7);
    sent = answers();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].payload, hex("0006 00000007"));
}

TEST_F(ConversationTest, HandsMetadataOnInBothForms) {
    say({"@setDataFrame", "onMetaData", Object().set("title", "a")}, 1, MessageType::data_amf0);
    say({"onMetaData", Object().set("title", "b")}, 1, MessageType::data_amf0);
    say({"onTextData", Object().set("title", "c")}, 1, MessageType::data_amf0);
    say({"@setDataFrame"}, 1, MessageType::data_amf0);
    ASSERT_EQ(notes.data.size(), 2u);
    EXPECT_EQ(notes.data[0].find("title")->text(), "a");
    EXPECT_EQ(notes.data[1].find("title")->text(), "b");
}

TEST_F(ConversationTest, PassesOverDataThatCannotBeReadAndGoesOn) {
    conversation.message(MessageType::data_amf0, 1, hex("02 0006 6f6e54657874 11"));  // an AMF3 value
    conversation.message(MessageType::data_amf0, 1, hex("02 00ff 6f6e"));             // torn
    conversation.message(MessageType::data_amf0, 1, Bytes(70000, 5));
    EXPECT_TRUE(notes.data.empty());
    say({"onMetaData", Object().set("title", "b")}, 1, MessageType::data_amf0);
    EXPECT_EQ(notes.data.size(), 1u);
}

TEST_F(ConversationTest, RefusesCommandsOutOfOrderAndMalformedOnes) {
    EXPECT_THROW(say({"createStream", 1.0, Null{}}), Malformed);
    EXPECT_THROW(say({"connect", 1.0, Null{}}), Malformed);
    EXPECT_THROW(conversation.message(MessageType::command_amf0, 0, hex("02 00ff 61")), Malformed);
    EXPECT_THROW(conversation.message(MessageType::command_amf0, 0, Bytes(70000, 5)), Malformed);
    EXPECT_THROW(conversation.message(MessageType::user_control, 0, hex("00")), Malformed);
    connect();
    conversation.accept();
    EXPECT_THROW(connect(), Malformed);
    say({"noSuchCommand", 8.0, Null{}});
}

}  // namespace
}  // namespace tapedeck::rtmp
