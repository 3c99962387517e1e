#include "store/delivery.hpp"

#include <utility>

#include "store/pipeline.hpp"

namespace tapedeck::host {

Delivery::Delivery(Parts parts) : pipeline_(std::make_shared<Pipeline>(std::move(parts))) {}

Delivery::~Delivery() {
    pipeline_->stop(std::chrono::seconds(10));
}

void Delivery::sweep() {
    pipeline_->sweep();
}

OpenFile Delivery::open(Recording& recording) {
    return pipeline_->open(recording);
}

void Delivery::finish(std::int64_t row, Recording facts, std::unique_ptr<Writer> writer, std::unique_ptr<File> file,
                      Released released) {
    pipeline_->finish(row, std::move(facts), std::move(writer), std::move(file), std::move(released));
}

void Delivery::discard(std::int64_t row, std::unique_ptr<File> file) {
    pipeline_->discard(row, std::move(file));
}

void Delivery::event_started(const Recording& recording) {
    pipeline_->event_started(recording);
}

void Delivery::event_failed(const Recording& recording, const std::string& reason) {
    pipeline_->event_failed(recording, reason);
}

void Delivery::require_free_name(const Recording& recording) const {
    pipeline_->require_free_name(recording);
}

std::string Delivery::provisional_name(const Recording& recording) const {
    return pipeline_->provisional_name(recording);
}

std::filesystem::path Delivery::home_folder(const Recording* recording) const {
    return pipeline_->home_folder(recording);
}

std::optional<UnderWay> Delivery::under_way(const std::string& name) const {
    return pipeline_->under_way(name);
}

void Delivery::remove(const std::string& key, const std::stop_token& stop) const {
    pipeline_->remove(key, stop);
}

void Delivery::stop(std::chrono::milliseconds limit) {
    pipeline_->stop(limit);
}

std::size_t Delivery::pending() const {
    return pipeline_->pending();
}

bool Delivery::wait(std::chrono::milliseconds limit) {
    return pipeline_->wait(limit);
}

void Delivery::on_step(Step step) {
    pipeline_->on_step(std::move(step));
}

}  // namespace tapedeck::host
