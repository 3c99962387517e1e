#include "rtmp/tls.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/ssl.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "client.hpp"
#include "rtmp/server.hpp"
#include "testkit/fake_host.hpp"

namespace tapedeck::rtmp {
namespace {

namespace ssl = boost::asio::ssl;
using TlsStream = ssl::stream<boost::asio::ip::tcp::socket>;

/// A folder with a certificate of its own making; removed at the end.
class Certificate {
public:
    Certificate() : folder_(std::filesystem::temp_directory_path() / ("rtmp_tls_test." + std::to_string(::getpid()))) {
        std::filesystem::create_directories(folder_);
        EVP_PKEY* key = EVP_EC_gen("P-256");
        X509* x509 = X509_new();
        X509_set_version(x509, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
        X509_EXTENSION* name = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
        X509_add_ext(x509, name, -1);
        X509_EXTENSION_free(name);
        X509_gmtime_adj(X509_getm_notBefore(x509), 0);
        X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
        X509_set_pubkey(x509, key);
        X509_sign(x509, key, EVP_sha256());
        std::FILE* file = std::fopen(certificate().c_str(), "w");
        PEM_write_X509(file, x509);
        std::fclose(file);
        file = std::fopen(this->key().c_str(), "w");
        PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(file);
        X509_free(x509);
        EVP_PKEY_free(key);
    }
    ~Certificate() { std::filesystem::remove_all(folder_); }
    std::string certificate() const { return (folder_ / "certificate.pem").string(); }
    std::string key() const { return (folder_ / "key.pem").string(); }

private:
    std::filesystem::path folder_;
};

TEST(Tls, ErrorsOfOneSessionAreNotThoseOfAnother) {
    const Certificate files;
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    TlsSession session(std::make_shared<TlsContext>(files.certificate(), files.key()), ends[0]);
    ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);  // what another session of this thread left behind
    std::array<std::uint8_t, 16> into{};
    EXPECT_EQ(session.read(into).outcome, TlsSession::Outcome::would_block);
    ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
    EXPECT_EQ(session.write(into).outcome, TlsSession::Outcome::would_block);
    ERR_clear_error();
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(Tls, TakesPublishersOverRtmps) {
    const Certificate files;
    testkit::FakeHost host{all_keys};
    for (const auto& [key, value] : {std::pair<const char*, std::string>{"port", "0"},
                                     {"tls_port", "0"},
                                     {"address", "127.0.0.1"},
                                     {"certificate", files.certificate()},
                                     {"key", files.key()},
                                     {"read_interval", "10ms"},
                                     {"publish_sdp", ""}})
        host.settings.set(key, value);
    Server server{Context(host.table(), host.context())};
    for (const auto version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        ssl::context context(ssl::context::tls_client);
        SSL_CTX_set_min_proto_version(context.native_handle(), version);
        SSL_CTX_set_max_proto_version(context.native_handle(), version);
        Client<TlsStream> client(host.port("rtmps"), context);
        client.stream().handshake(ssl::stream_base::client);
        ASSERT_TRUE(client.publish());
        client.grow_chunks(65536);
        const auto payload = counting(300'000);  // many TLS records
        client.message(MessageType::video, 7, join({{0x12}, payload}));
        auto* stream = host.streams.all().back();
        EXPECT_TRUE(stream->wait([&] { return stream->packet_count() == 1; }));
        EXPECT_EQ(stream->packets()[0].data, payload);
        stream->kick("enough");
        EXPECT_EQ(client.wait_for("NetConnection.Connect.Closed"), "enough");
        EXPECT_TRUE(client.is_closed());
    }
    server.stop();
}

/// How the client's side of a handshake between a server with this certificate and a client ends.
std::string handshake(const Certificate& files, bool verifies, const char* server_name) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    TlsSession server(std::make_shared<TlsContext>(files.certificate(), files.key()), ends[0]);
    TlsSession client(TlsContext::of_client(verifies), ends[1], server_name);
    std::array<std::uint8_t, 16> into{};
    std::string why;
    for (int i = 0; i < 5 && why.empty() && !(client.is_open() && server.is_open()); ++i) {
        why = client.read(into).why;
        server.read(into);
    }
    ::close(ends[0]);
    ::close(ends[1]);
    return client.is_open() ? "open" : why;
}

TEST(Tls, AClientTakesOnlyTheServerThatItAskedFor) {
    const Certificate files;
    EXPECT_EQ(handshake(files, false, "other"), "open");
    EXPECT_NE(handshake(files, true, "localhost").find("self-signed certificate"), std::string::npos);
    ::setenv("SSL_CERT_FILE", files.certificate().c_str(), 1);  // the system's authorities
    EXPECT_EQ(handshake(files, true, "localhost"), "open");
    EXPECT_NE(handshake(files, true, "other").find("hostname mismatch"), std::string::npos);
    EXPECT_NE(handshake(files, true, "127.0.0.1").find("IP address mismatch"), std::string::npos);
    ::unsetenv("SSL_CERT_FILE");
}

TEST(Tls, RefusesOldVersions) {
    const Certificate files;
    TlsContext context(files.certificate(), files.key());
    EXPECT_EQ(SSL_CTX_get_min_proto_version(context.get()), TLS1_2_VERSION);
}

TEST(Tls, NamesTheSettingOfAFileThatCannotBeUsed) {
    const Certificate files;
    for (const auto& [certificate, key, setting] :
         {std::tuple{std::string("/nonexistent.pem"), files.key(), "protocol.rtmp.certificate"},
          {files.certificate(), std::string("/nonexistent.pem"), "protocol.rtmp.key"},
          {files.certificate(), files.certificate(), "protocol.rtmp.key"}}) {
        try {
            TlsContext context(certificate, key);
            ADD_FAILURE() << certificate << " and " << key << " were taken";
        } catch (const Error& e) {
            EXPECT_NE(std::string(e.what()).find(setting), std::string::npos) << e.what();
        }
    }
}

}  // namespace
}  // namespace tapedeck::rtmp
