// One POST by libcurl, with a connection of its own: events are rare.
#include "client.hpp"

#include <array>
#include <memory>
#include <new>

#include "tapedeck/context.hpp"

namespace tapedeck::webhook {

namespace {

struct FreeHandle {
    void operator()(CURL* handle) const { ::curl_easy_cleanup(handle); }
};
struct FreeList {
    void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, FreeHandle>;
using List = std::unique_ptr<curl_slist, FreeList>;

Handle make_handle() {
    static const CURLcode started = ::curl_global_init(CURL_GLOBAL_DEFAULT);
    Handle handle(started == CURLE_OK ? ::curl_easy_init() : nullptr);
    if (handle == nullptr) throw Error(TD_FAILED, "libcurl cannot be used", true);
    return handle;
}

List list_of(const std::vector<std::string>& lines) {
    List list;
    for (const auto& line : lines) {
        auto* const longer = ::curl_slist_append(list.get(), line.c_str());
        if (longer == nullptr) throw std::bad_alloc();
        static_cast<void>(list.release());  // the longer list owns it
        list.reset(longer);
    }
    return list;
}

template <class Value>
void set(const Handle& handle, CURLoption option, Value value) {
    const auto result = ::curl_easy_setopt(handle.get(), option, value);
    if (result != CURLE_OK) throw Error(TD_FAILED, std::string("libcurl: ") + ::curl_easy_strerror(result), true);
}

std::size_t discard(char*, std::size_t, std::size_t bytes, void*) {
    return bytes;
}

int ask(void* cancelled, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return (*static_cast<const std::function<bool()>*>(cancelled))() ? 1 : 0;
}

}  // namespace

long send(const Post& post, const std::function<bool()>& cancelled) {
    const Handle handle = make_handle();
    const List headers = list_of(post.headers);
    std::array<char, CURL_ERROR_SIZE> reason{};
    set(handle, CURLOPT_URL, post.url.text().c_str());
    set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    set(handle, CURLOPT_NOSIGNAL, 1L);
    set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(post.limit.count()));
    set(handle, CURLOPT_ERRORBUFFER, reason.data());
    set(handle, CURLOPT_HTTPHEADER, headers.get());
    set(handle, CURLOPT_USERAGENT, "Tapedeck/" TAPEDECK_VERSION);
    set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.body.size()));
    set(handle, CURLOPT_POSTFIELDS, post.body.data());
    set(handle, CURLOPT_WRITEFUNCTION, &discard);
    set(handle, CURLOPT_NOPROGRESS, 0L);
    set(handle, CURLOPT_XFERINFOFUNCTION, &ask);
    set(handle, CURLOPT_XFERINFODATA, &cancelled);
    if (!post.ca_file.empty()) {
        set(handle, CURLOPT_CAINFO, post.ca_file.c_str());
        set(handle, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    }
    const auto result = ::curl_easy_perform(handle.get());
    const auto origin = post.url.origin();
    if (result == CURLE_ABORTED_BY_CALLBACK) throw Error(TD_CANCELLED, origin + " had not answered yet", true);
    if (result == CURLE_OPERATION_TIMEDOUT)
        throw Error(TD_TIMEOUT, origin + " did not answer within " + std::to_string(post.limit.count()) + " ms", true);
    if (result != CURLE_OK)
        throw Error(TD_FAILED, origin + ": " + (reason[0] != '\0' ? reason.data() : ::curl_easy_strerror(result)),
                    true);
    long status = 0;
    ::curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
}

}  // namespace tapedeck::webhook
