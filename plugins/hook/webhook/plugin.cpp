// hook.webhook, hook.webhook2, ...: tell receivers over HTTP what happens to recordings. Each receiver is a hook of its
// own, so the host keeps for each what is still owed to it, and one that is down holds up no other.
#include "tapedeck/plugin.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "backend.hpp"
#include "body.hpp"
#include "client.hpp"
#include "signature.hpp"
#include "url.hpp"

namespace tapedeck::webhook {

namespace {

constexpr std::array ids{"webhook", "webhook2", "webhook3", "webhook4"};

std::int64_t unix_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

template <std::size_t number>
class Webhook final : public Hook {
public:
    static constexpr const char* id = ids[number];
    static constexpr const char* doc = "Tells a receiver over HTTP what happens to recordings";
    static constexpr auto url = Key::text("url").required().secret().reload().about(
        "Where events are sent by POST, http or https; another receiver has a section of its own");
    static constexpr auto secret =
        Key::text("secret").secret().reload().about("Key of the HMAC-SHA256 in Tapedeck-Signature; empty: not signed");
    static constexpr auto form =
        Key::choice("form", "tapedeck", "tapedeck|wcs")
            .reload()
            .about("wcs: as Flashphoner sends StreamEvent, which is put behind the path of the url");
    static constexpr auto timeout = Key::duration("timeout", "10s")
                                        .within(1'000, 600'000'000)
                                        .reload()
                                        .about("A receiver that takes longer is asked again later");
    static constexpr auto ca_file =
        Key::path("ca_file", "")
            .reload()
            .about("PEM file of the authorities that may vouch for the receiver; empty: the system's");
    static constexpr auto workers =
        Key::integer("workers", "4").within(1, 64).about("Events at a time, those of one media session in order");
    static constexpr std::array keys{url, secret, form, timeout, ca_file, workers};

    explicit Webhook(Context context) : context_(context) {
        target();
        const std::filesystem::path authorities(context_.text(ca_file));
        if (!authorities.empty() && !std::filesystem::exists(authorities))
            throw Error(TD_NOT_FOUND, full_name(ca_file) + ": there is no file " + authorities.string());
    }

    void event(const td_event& event) {
        if (is_wcs() && event.kind == TD_RECORD_FAILED) return;
        const Url receiver = target();
        const auto body = is_wcs() ? stream_event_of(event, node_name()) : body_of(event);
        const auto status = send({.url = receiver,
                                  .headers = headers_of(event, body),
                                  .body = body,
                                  .limit = std::chrono::ceil<std::chrono::milliseconds>(context_.duration(timeout)),
                                  .ca_file = context_.text(ca_file)},
                                 [this] { return context_.cancelled(); });
        if (status < 200 || status > 299)
            throw Error(TD_FAILED, receiver.origin() + " answered with status " + std::to_string(status), true);
    }

private:
    static std::string full_name(const Key& key) { return std::string("hook.") + id + '.' + key.name; }
    bool is_wcs() const { return context_.text(form) == "wcs"; }

    /// An operator can put a wrong one right, so the event is kept until then.
    Url target() const {
        try {
            Url result(context_.text(url));
            if (is_wcs()) result.append("StreamEvent");
            return result;
        } catch (const Error& error) {
            throw Error(error.status(), full_name(url) + ": " + error.what(), true);
        }
    }

    std::vector<std::string> headers_of(const td_event& event, const std::string& body) const {
        std::vector<std::string> headers{"Content-Type: application/json",
                                         "Idempotency-Key: " + std::string(view(event.id)),
                                         "Tapedeck-Attempt: " + std::to_string(event.attempt)};
        if (const auto key = context_.text(secret); !key.empty())
            headers.push_back("Tapedeck-Signature: " + signature_of(key, unix_seconds(), body));
        return headers;
    }

    Context context_;
};

}  // namespace tapedeck::webhook

TAPEDECK_PLUGIN("hook-webhook", TAPEDECK_VERSION, "Tapedeck", "MIT",
                "Tells receivers over HTTP about recordings, and asks a backend", tapedeck::webhook::Webhook<0>,
                tapedeck::webhook::Webhook<1>, tapedeck::webhook::Webhook<2>, tapedeck::webhook::Webhook<3>,
                tapedeck::webhook::Backend);
