#include "event/admission.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/text.hpp"
#include "event/keys.hpp"
#include "event/workers.hpp"
#include "plugin/blocking_call.hpp"
#include "plugin/context.hpp"

namespace tapedeck::host {
namespace {

/// A td_stream_info with memory of its own.
class Asked {
public:
    Asked(int action, const td_stream_info& info) : action_(action), info_(info) {
        for (td_text td_stream_info::*member :
             {&td_stream_info::name, &td_stream_info::protocol, &td_stream_info::media_session,
              &td_stream_info::session, &td_stream_info::login, &td_stream_info::application,
              &td_stream_info::remote}) {
            info_.*member = keep(info.*member);
        }
        for (std::size_t n = 0; n < info.attribute_count; ++n) {
            attributes_.push_back({keep(info.attributes[n].key), keep(info.attributes[n].value)});
        }
        info_.size = sizeof(td_stream_info);
        info_.attributes = attributes_.data();
        if (info.codec_count != 0) codecs_.assign(info.codecs, info.codecs + info.codec_count);
        info_.codecs = codecs_.data();
    }
    Asked(const Asked&) = delete;
    Asked& operator=(const Asked&) = delete;

    int action() const { return action_; }
    const td_stream_info& info() const { return info_; }

private:
    td_text keep(td_text text) {
        texts_.push_back(std::make_unique<std::string>(view(text)));
        return text_of(*texts_.back());
    }

    int action_;
    td_stream_info info_;
    std::vector<std::unique_ptr<std::string>> texts_;
    std::vector<td_attribute> attributes_;
    std::vector<std::uint32_t> codecs_;
};

}  // namespace

struct Admission::Question {
    Question(int action, const td_stream_info& info, Done answer, std::size_t hooks)
        : asked(action, info), done(std::move(answer)), missing(hooks) {}

    /// The first refusal or the last consent answers; whatever comes later is ignored.
    void answer(const std::optional<Error>& refused) {
        Done call;
        {
            const std::lock_guard lock(mutex);
            if (!done || (!refused && missing > 0 && --missing > 0)) return;
            call = std::exchange(done, nullptr);
        }
        call(refused ? &*refused : nullptr);
    }
    bool is_answered() {
        const std::lock_guard lock(mutex);
        return !done;
    }

    const Asked asked;
    std::mutex mutex;
    Done done;
    std::size_t missing;
};

/// One hook and the threads that ask it.
struct Admission::Desk {
    Desk(std::shared_ptr<const Hook> one, std::size_t threads)
        : hook(std::move(one)), name(hook->extension().name()), workers("admission by " + name, threads) {}

    const std::shared_ptr<const Hook> hook;
    const std::string name;
    Workers workers;
};

struct Admission::Shared {
    explicit Shared(Scope scope) : settings(std::move(scope)) {}

    Scope settings;
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<Desk>, std::less<>> desks;
    std::set<std::shared_ptr<Question>> open;
    bool stopping = false;
    Workers clock{"admission", 1};  // says no when the time is over, and answers where nobody is asked
};

Admission::Admission(const SettingsSource& settings, const Hooks& hooks)
    : shared_(std::make_shared<Shared>(Scope(settings, ""))) {
    add(hooks);
}

Admission::~Admission() {
    stop(std::chrono::seconds(10));
}

void Admission::add(const Hooks& hooks) {
    const auto threads = static_cast<std::size_t>(shared_->settings.integer(hook_workers));
    const std::lock_guard lock(shared_->mutex);
    for (const auto& hook : hooks) {
        if (hook->admits()) shared_->desks.try_emplace(hook->extension().name(), std::make_shared<Desk>(hook, threads));
    }
}

void Admission::ask(int action, const td_stream_info& info, Done done) {
    const auto limit = shared_->settings.duration(admission_timeout);
    std::vector<std::shared_ptr<Desk>> desks;
    std::shared_ptr<Question> question;
    bool stopping = false;
    {
        const std::lock_guard lock(shared_->mutex);
        for (const auto& [name, desk] : shared_->desks) desks.push_back(desk);
        question = std::make_shared<Question>(action, info, std::move(done), desks.size());
        stopping = shared_->stopping;
        if (!stopping) shared_->open.insert(question);
    }
    if (stopping) {
        // The clock of a stopped admission takes no tasks; a thread of its own keeps the promise not to call back here.
        std::thread([question] { question->answer(Error("the server is stopping", TD_CANCELLED, true)); }).detach();
        return;
    }
    const auto close = [shared = shared_.get(), question] {
        const std::lock_guard lock(shared->mutex);
        shared->open.erase(question);
    };
    if (desks.empty()) {
        shared_->clock.post([question, close](const std::stop_token&) {
            question->answer(std::nullopt);
            close();
        });
        return;
    }
    const auto begun = Workers::Clock::now();
    for (const auto& desk : desks) {
        desk->workers.post([desk = desk.get(), question, begun, limit](const std::stop_token& stop) {
            const auto left = begun + limit - Workers::Clock::now();
            if (question->is_answered() || left <= Workers::Clock::duration::zero()) return;
            std::optional<Error> refused;
            try {
                const BlockingCall call(left, stop);
                if (const auto reason = desk->hook->admit(question->asked.action(), question->asked.info())) {
                    refused = Error(*reason, TD_DENIED);
                }
            } catch (const std::exception& error) {
                log::error("{}: {}; the client is refused", desk->name, error.what());
                refused = Error("the server cannot decide about you now", TD_DENIED, true);
            }
            question->answer(refused);
        });
    }
    shared_->clock.post(
        [question, close, limit, name = printable(view(info.name))](const std::stop_token&) {
            if (!question->is_answered()) {
                log::warning("admission of '{}': no hook answered within {} ms; refused", name,
                             std::chrono::duration_cast<std::chrono::milliseconds>(limit).count());
                metrics::counter("tapedeck_admission_timeouts_total", "", "Clients refused because a hook was too slow")
                    .fetch_add(1, std::memory_order_relaxed);
            }
            question->answer(Error("the server took too long to decide", TD_TIMEOUT, true));
            close();
        },
        begun + limit);
}

void Admission::stop(std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    std::set<std::shared_ptr<Question>> open;
    std::vector<std::shared_ptr<Desk>> desks;
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->stopping = true;
        open.swap(shared_->open);
        for (const auto& [name, desk] : shared_->desks) desks.push_back(desk);
    }
    for (const auto& question : open) question->answer(Error("the server is stopping", TD_CANCELLED, true));
    const auto left = [&] {
        return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()),
                        std::chrono::milliseconds(0));
    };
    shared_->clock.stop(left());
    for (const auto& desk : desks) desk->workers.stop(left());
}

}  // namespace tapedeck::host
