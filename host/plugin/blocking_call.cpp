#include "plugin/blocking_call.hpp"

#include <algorithm>
#include <utility>

namespace tapedeck::host {
namespace {

thread_local const BlockingCall* innermost = nullptr;

}  // namespace

BlockingCall::BlockingCall(std::chrono::steady_clock::duration limit, std::stop_token stop)
    : deadline_(std::chrono::steady_clock::now() + limit), stop_(std::move(stop)), outer_(innermost) {
    if (outer_ != nullptr) deadline_ = std::min(deadline_, outer_->deadline_);
    innermost = this;
}

BlockingCall::~BlockingCall() {
    innermost = outer_;
}

bool BlockingCall::cancelled() {
    if (innermost == nullptr) return false;
    if (std::chrono::steady_clock::now() >= innermost->deadline_) return true;
    for (const BlockingCall* call = innermost; call != nullptr; call = call->outer_)
        if (call->stop_.stop_requested()) return true;
    return false;
}

}  // namespace tapedeck::host
