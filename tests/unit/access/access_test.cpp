#include "access/access.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <vector>

#include "access/password.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace tapedeck::host {
namespace {

using Verdict = Access::Verdict;

// RFC 7914 section 11; one round, so that the tests are fast.
constexpr const char* hash_of_passwd =
    "pbkdf2-sha256$1$73616c74$55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc";

class AccessTest : public testing::Test {
protected:
    AccessTest() {
        std::string name = (std::filesystem::temp_directory_path() / "tapedeck-access-XXXXXX").string();
        folder_ = mkdtemp(name.data());
        file_ = folder_ / "access.yaml";
    }
    ~AccessTest() override { std::filesystem::remove_all(folder_); }

    void write(const std::string& text) const { std::ofstream(file_) << text; }
    void write_users() const {
        write(fmt::format("rest:\n  users: [{{login: admin, password: {}}}]\n  tokens: [{{name: job, token: {}}}]\n",
                          hash_of_passwd, hash_token("t0ken")));
    }

    std::filesystem::path folder_, file_;
};

class Publication {
public:
    Publication(std::string name, std::string login = {}, std::string password = {}, std::string token = {})
        : name_(std::move(name)), login_(std::move(login)), password_(std::move(password)), token_(std::move(token)) {
        attributes_ = {{text_of("password"), text_of(password_)}, {text_of("token"), text_of(token_)}};
        info_.size = sizeof(info_);
        info_.name = text_of(name_);
        info_.login = text_of(login_);
        info_.attributes = attributes_.data();
        info_.attribute_count = attributes_.size();
    }
    Publication(const Publication&) = delete;
    Publication& operator=(const Publication&) = delete;
    const td_stream_info& info() const { return info_; }

private:
    std::string name_, login_, password_, token_;
    std::vector<td_attribute> attributes_;
    td_stream_info info_{};
};

TEST_F(AccessTest, WithoutAFileAnswersTheListedNetworksOnly) {
    const Access access(file_, "127.0.0.0/8, ::1");
    EXPECT_EQ(access.may_rest("127.0.0.1", ""), Verdict::Allowed);
    EXPECT_EQ(access.may_rest("::1", ""), Verdict::Allowed);
    EXPECT_EQ(access.may_rest("10.0.0.1", ""), Verdict::Denied);
    EXPECT_EQ(access.may_rest("10.0.0.1", "Basic YWRtaW46cGFzc3dk"), Verdict::Denied);
    EXPECT_FALSE(access.may_publish(Publication("any").info()));
}

TEST_F(AccessTest, OpensToCredentials) {
    write_users();
    const Access access(file_, "127.0.0.0/8");
    for (const auto& [header, verdict] : {
             std::pair{"Basic YWRtaW46cGFzc3dk", Verdict::Allowed},  // admin:passwd
             {"basic YWRtaW46cGFzc3dk", Verdict::Allowed},
             {"Basic YWRtaW46cGFzc3dl", Verdict::WantsCredentials},  // admin:passwe
             {"Basic cm9vdDpwYXNzd2Q=", Verdict::WantsCredentials},  // root:passwd
             {"Basic YWRtaW4=", Verdict::WantsCredentials},          // admin
             {"Basic !!!", Verdict::WantsCredentials},
             {"Bearer t0ken", Verdict::Allowed},
             {"bearer   t0ken", Verdict::Allowed},
             {"Bearer t0ke", Verdict::WantsCredentials},
             {"Bearer", Verdict::WantsCredentials},
             {"Digest x", Verdict::WantsCredentials},
             {"", Verdict::WantsCredentials},
         }) {
        EXPECT_EQ(access.may_rest("10.0.0.1", header), verdict) << header;
        EXPECT_EQ(access.may_rest("10.0.0.1", header), verdict) << header << " once more, from memory";
    }
    EXPECT_EQ(access.may_rest("127.0.0.1", "Basic !!!"), Verdict::Allowed) << "the network is enough";
}

TEST_F(AccessTest, ReloadChangesTheAnswers) {
    Access access(file_, "127.0.0.0/8");
    write_users();
    EXPECT_EQ(access.may_rest("10.0.0.1", "Bearer t0ken"), Verdict::Denied);
    access.reload("127.0.0.0/8");
    EXPECT_EQ(access.may_rest("10.0.0.1", "Bearer t0ken"), Verdict::Allowed);
    access.reload("10.0.0.0/8");
    EXPECT_TRUE(access.allows_address("10.0.0.1"));
    EXPECT_FALSE(access.allows_address("127.0.0.1"));
}

TEST_F(AccessTest, KeepsTheOldRulesWhenTheNewOnesAreBad) {
    write_users();
    Access access(file_, "127.0.0.0/8");
    EXPECT_THROW(access.reload("nowhere"), Error);
    write("rest: [\n");
    EXPECT_THROW(access.reload("10.0.0.0/8"), Error);
    EXPECT_TRUE(access.allows_address("127.0.0.1"));
    EXPECT_EQ(access.check("Bearer t0ken"), Verdict::Allowed);
}

TEST_F(AccessTest, NamesTheSettingOfABadNetwork) {
    try {
        const Access access(file_, "10.0.0.0/8 lan");
        ADD_FAILURE();
    } catch (const Error& failure) {
        EXPECT_TRUE(std::string(failure.what()).starts_with("rest.allowed_clients: 'lan'")) << failure.what();
    }
}

TEST_F(AccessTest, AdmitsPublishersByNameAndCredentials) {
    write(
        fmt::format("publishers:\n"
                    "  - {{name: 'cam*', login: camera, password: {}}}\n"
                    "  - {{name: 'cam1', token: {}}}\n"
                    "  - {{name: 'live-*', token: s3cret}}\n"
                    "  - {{name: 'free/*'}}\n",
                    hash_of_passwd, hash_token("hashed")));
    const Access access(file_, "");
    struct Row {
        const char *name, *login, *password, *token;
        const char* reason;  // a part of it; null: admitted
    };
    for (const auto& [name, login, password, token, reason] : {
             Row{"cam1", "camera", "passwd", "", nullptr},
             Row{"cam1", "", "", "hashed", nullptr},
             Row{"cam2", "", "", "hashed", "wrong login, password or token"},
             Row{"cam2", "camera", "passwd", "", nullptr},
             Row{"cam2", "camera", "wrong", "", "wrong login, password or token"},
             Row{"cam2", "other", "passwd", "", "wrong login, password or token"},
             Row{"cam2", "", "", "", "wrong login, password or token"},
             Row{"live-x", "", "", "s3cret", nullptr},
             Row{"live-x", "", "", "s3cre", "wrong login, password or token"},
             Row{"live-x", "", "", "", "wrong login, password or token"},
             Row{"free/x", "", "", "", nullptr},
             Row{"else\n", "camera", "passwd", "", "stream 'else?': no publisher of access.yaml"},
         }) {
        const auto said = access.may_publish(Publication(name, login, password, token).info());
        if (reason == nullptr) {
            EXPECT_FALSE(said) << name << ": " << *said;
        } else {
            ASSERT_TRUE(said) << name << " " << login;
            EXPECT_NE(said->find(reason), std::string::npos) << *said;
            EXPECT_EQ(said->find("s3cre"), std::string::npos) << "a secret is never shown";
        }
    }
}

TEST_F(AccessTest, IsNotLeftOpenByAFileThatTheOperatorNamedAndThatIsMissing) {
    EXPECT_THROW(Access(file_, "", true), Error);
    write("publishers: []\n");
    Access access(file_, "");
    std::filesystem::remove(file_);
    EXPECT_THROW(access.reload(""), Error);
    EXPECT_TRUE(access.may_publish(Publication("any").info())) << "the old rules stay";
}

TEST_F(AccessTest, WithAnEmptyPublishersSectionNobodyPublishes) {
    write("publishers: []\n");
    EXPECT_TRUE(Access(file_, "").may_publish(Publication("any").info()));
}

TEST_F(AccessTest, OfTheShippedFileLetsEveryonePublish) {
    std::filesystem::copy_file(TAPEDECK_SOURCE_DIR "/conf/access.yaml", file_);
    EXPECT_FALSE(Access(file_, "").may_publish(Publication("any").info()));
    EXPECT_EQ(Access(file_, "").check("Bearer x"), Verdict::Denied);
}

}  // namespace
}  // namespace tapedeck::host
