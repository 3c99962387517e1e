#include "mpegts/srt.hpp"

#include <srt/srt.h>
#include <sys/syslog.h>

#include <array>
#include <utility>

#include "tapedeck/late_library.hpp"

namespace tapedeck::mpegts {
namespace {

constexpr int backlog = 1024;  // callers between two reads, such as all after a restart; others are refused
constexpr std::size_t longest_message = 1500;  // libsrt's own are 1456 at most
constexpr std::size_t most_messages = 4096;    // of a caller, before the others have theirs
constexpr Time longest_wait{10'000'000};       // for what a caller who hung up has sent: more than any latency
constexpr std::uint32_t sequence_mask = 0x7fff'ffff;

#define TD_SRT(each)            \
    each(srt_startup);          \
    each(srt_cleanup);          \
    each(srt_create_socket);    \
    each(srt_bind);             \
    each(srt_listen);           \
    each(srt_accept);           \
    each(srt_close);            \
    each(srt_getsockname);      \
    each(srt_getsockflag);      \
    each(srt_setsockflag);      \
    each(srt_recvmsg2);         \
    each(srt_getlasterror);     \
    each(srt_getlasterror_str); \
    each(srt_setloglevel)

#define TD_MEMBER(function) decltype(&::function) function
struct SrtFunctions {
    TD_SRT(TD_MEMBER);
};
#undef TD_MEMBER

SrtFunctions load() {
    // The flavour that libavformat links: two of them in one process would share their symbols.
    const LateLibrary library("libsrt-gnutls.so." + std::to_string(SRT_VERSION_MAJOR) + "." +
                              std::to_string(SRT_VERSION_MINOR));
    SrtFunctions all{};
#define TD_BIND(function) library.bind(#function, all.function)
    TD_SRT(TD_BIND);
#undef TD_BIND
    all.srt_setloglevel(LOG_CRIT);  // nothing here writes to the console
    return all;
}

const SrtFunctions& srt() {
    static const SrtFunctions only = load();
    return only;
}

template <class Value>
void set(int socket, SRT_SOCKOPT option, const Value& value) {
    if (srt().srt_setsockflag(socket, option, &value, sizeof value) == SRT_ERROR)
        throw Error(std::string("SRT option: ") + srt().srt_getlasterror_str());
}

int encryption_of(int socket) {
    int state = SRT_KM_S_UNSECURED, size = sizeof state;
    srt().srt_getsockflag(socket, SRTO_RCVKMSTATE, &state, &size);
    return state;
}

/// Packets that came and are not read yet, due or not.
int waiting_in(int socket) {
    int count = 0, size = sizeof count;
    return srt().srt_getsockflag(socket, SRTO_RCVDATA, &count, &size) == SRT_ERROR ? 0 : count;
}

std::string stream_id_of(int socket) {
    std::array<char, 513> text{};
    int size = text.size();
    if (srt().srt_getsockflag(socket, SRTO_STREAMID, text.data(), &size) == SRT_ERROR) return {};
    return std::string(text.data(), static_cast<std::size_t>(size));
}

}  // namespace

SrtLibrary::SrtLibrary() {
    if (srt().srt_startup() < 0) throw Error(std::string("libsrt: ") + srt().srt_getlasterror_str());
}

SrtLibrary::~SrtLibrary() {
    srt().srt_cleanup();
}

SrtSocket::~SrtSocket() {
    if (number_ != SRT_INVALID_SOCK) srt().srt_close(number_);
}

SrtSocket::SrtSocket(SrtSocket&& other) noexcept : number_(std::exchange(other.number_, SRT_INVALID_SOCK)) {}

SrtSocket& SrtSocket::operator=(SrtSocket&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

SrtListener::SrtListener(const Address& local, SrtOptions options)
    : options_(std::move(options)), socket_(srt().srt_create_socket()) {
    const int socket = socket_.get();
    set(socket, SRTO_RCVSYN, false);
    set(socket, SRTO_REUSEADDR, false);
    set(socket, SRTO_RCVLATENCY, static_cast<int>(options_.latency.count()));
    if (!options_.passphrase.empty()) {
        if (srt().srt_setsockflag(socket, SRTO_PASSPHRASE, options_.passphrase.data(),
                                  static_cast<int>(options_.passphrase.size())) == SRT_ERROR)
            throw Error("SRT passphrase: it has 10 to 79 bytes");
    }
    // So that whoever has another passphrase comes as far as `judge`, which says so.
    set(socket, SRTO_ENFORCEDENCRYPTION, false);
    sockaddr_storage name{};
    int size = static_cast<int>(local.store(name));
    auto* const generic = static_cast<sockaddr*>(static_cast<void*>(&name));
    if (!local.is_v4()) set(socket, SRTO_IPV6ONLY, 0);
    if (srt().srt_bind(socket, generic, size) == SRT_ERROR || srt().srt_listen(socket, backlog) == SRT_ERROR ||
        srt().srt_getsockname(socket, generic, &size) == SRT_ERROR)
        throw Error("SRT " + local.text() + ": " + srt().srt_getlasterror_str());
    port_ = Address::of(name).port;
}

std::string SrtListener::judge(const SrtCaller& caller) const {
    const auto who = caller.from.text();
    if (!options_.allowed.contain(caller.from)) return who + " may not send: it is not in allowedList";
    const int encryption = encryption_of(caller.socket.get());
    if (options_.passphrase.empty())
        return encryption == SRT_KM_S_UNSECURED ? "" : who + " encrypts, and no passphrase is set here";
    if (encryption == SRT_KM_S_SECURED) return {};
    return encryption == SRT_KM_S_UNSECURED ? who + " does not encrypt, and a passphrase is set here"
                                            : who + " has a wrong passphrase";
}

std::optional<SrtCaller> SrtListener::accept(std::string& refusal) {
    for (;;) {
        sockaddr_storage name{};
        int size = sizeof name;
        const int socket = srt().srt_accept(socket_.get(), static_cast<sockaddr*>(static_cast<void*>(&name)), &size);
        if (socket == SRT_INVALID_SOCK) return std::nullopt;
        SrtCaller caller{SrtSocket(socket), Address::of(name), stream_id_of(socket)};
        auto why = judge(caller);
        if (why.empty()) return caller;
        refusal = std::move(why);
    }
}

void SrtInput::read(InputOut& out, Time now) {
    if (caller_) receive(out, now);
    if (listener_ != nullptr) accept(out, now);
}

void SrtInput::accept(InputOut& out, Time now) {
    while (auto caller = listener_->accept(refusal_)) {
        if (caller_ && !hung_up_) {
            refusal_ = caller->from.text() + " is not heard while " + caller_->from.text() + " sends";
            continue;
        }
        caller_ = std::move(caller);
        hung_up_.reset();
        refusal_.clear();
        if (std::exchange(next_, std::nullopt)) out.lost();
        receive(out, now);
    }
}

void SrtInput::receive(InputOut& out, Time now) {
    std::array<std::uint8_t, longest_message> message;
    for (std::size_t count = 0; count < most_messages; ++count) {
        SRT_MSGCTRL about{};
        const int size =
            srt().srt_recvmsg2(caller_->socket.get(), static_cast<char*>(static_cast<void*>(message.data())),
                               static_cast<int>(message.size()), &about);
        if (size < 0) {
            const int why = srt().srt_getlasterror(nullptr);
            if (why == SRT_EASYNCRCV) return;
            if (!hung_up_) hung_up_ = now;
            if (waiting_in(caller_->socket.get()) > 0 && now - *hung_up_ <= longest_wait) return;
            caller_.reset();
            hung_up_.reset();
            return;
        }
        if (size == 0) return;
        const auto number = static_cast<std::uint32_t>(about.pktseq) & sequence_mask;
        if (next_ && *next_ != number) out.lost();
        next_ = (number + 1) & sequence_mask;
        out.bytes({message.data(), static_cast<std::size_t>(size)});
    }
}

}  // namespace tapedeck::mpegts
