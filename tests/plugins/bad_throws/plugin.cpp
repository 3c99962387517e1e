// Every call fails, each in another way.
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

namespace {

class BadNaming : public Naming {
public:
    static constexpr const char* id = "throws";
    static constexpr const char* doc = "Fails by std::exception";
    explicit BadNaming(Context) {}
    std::string name(const td_recording&) override { throw std::runtime_error("no name today"); }
};

class BadStorage : public Storage {
public:
    static constexpr const char* id = "throws";
    static constexpr const char* doc = "Fails by Error";
    explicit BadStorage(Context) {}
    std::string put(const td_recording&, std::string_view, bool) override {
        throw Error(TD_FAILED, "503 Slow Down", true);
    }
    void remove(std::string_view) override { throw Error(TD_NOT_FOUND, "no such key"); }
};

class BadHook : public Hook {
public:
    static constexpr const char* id = "throws";
    static constexpr const char* doc = "Fails by anything";
    explicit BadHook(Context) {}
    void admit(int, const td_stream_info&) { throw 42; }
    void event(const td_event&) { throw std::bad_alloc(); }
};

class BadProtocol : public Protocol {
public:
    static constexpr const char* id = "throws";
    static constexpr const char* doc = "Cannot be made";
    explicit BadProtocol(Context) { throw Error("port 1 is not allowed"); }
    void start() override {}
    void stop() override {}
};

}  // namespace

TAPEDECK_PLUGIN("throws", "1.0.0", "example.org", "MIT", "Throws from every call", BadNaming, BadStorage, BadHook,
                BadProtocol);
