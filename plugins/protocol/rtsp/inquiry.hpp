// What is asked of workers for one camera, and answered on its loop.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "loop.hpp"
#include "workers.hpp"

namespace tapedeck::rtsp {

/// One question at a time. Lives on the loop, in the one who asks.
class Inquiry {
public:
    Inquiry(Workers& workers, std::shared_ptr<Loop> loop) : workers_(workers), loop_(std::move(loop)) {}

    /// `question(is_wanted)` is put by a worker; then, on the loop, `answer(found)`, or `failed(why, is_denied)` with
    /// what it threw, which is denied where it is an Error with TD_DENIED. There is no limit of time: workers may be
    /// busy with others for long. `asker` owns this and is kept until then.
    template <class Question, class Answer, class Failed>
    void ask(const std::shared_ptr<const void>& asker, Question question, Answer answer, Failed failed) {
        workers_.post([this, asker, number = ++number_, question, answer, failed] {
            const auto is_wanted = [&] { return number == number_ && !workers_.stops(); };
            if (!is_wanted()) return;
            decltype(std::optional(question(is_wanted))) found;
            std::string why;
            bool is_denied = false;
            try {
                found = question(is_wanted);
            } catch (const Error& e) {
                why = e.what();
                is_denied = e.status() == TD_DENIED;
            } catch (const std::exception& e) {
                why = e.what();
            }
            loop_->post([this, asker, number, found, why, is_denied, answer, failed] {
                if (number != number_) return;
                found ? answer(*found) : failed(why, is_denied);
            });
        });
    }
    /// The answer to the last question is no longer wanted.
    void drop() { ++number_; }

private:
    Workers& workers_;
    std::shared_ptr<Loop> loop_;
    std::atomic<std::uint64_t> number_ = 0;  // of the last question; what workers do for others is passed over
};

}  // namespace tapedeck::rtsp
