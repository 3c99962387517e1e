#include "plugin/transform.hpp"

#include "plugin/host_table.hpp"

namespace tapedeck::host {
namespace {

const td_transform* transform_table(const Extension& extension) {
    return static_cast<const td_transform*>(extension.declared->table);
}

}  // namespace

std::int32_t Transform::accepts(const Extension& extension, const td_options* options, const td_track& in,
                                std::uint32_t codec) {
    return transform_table(extension)->accepts(&host_table(), extension.context, options, &in, codec);
}

Transform::Transform(const Extension& extension, const td_options* options, const td_track& in, const td_track& wanted,
                     td_sink& out)
    : extension_(extension), table_(transform_table(extension)) {
    td_error error = empty_error();
    const td_status status =
        table_->create(&host_table(), extension_.context, options, &in, &wanted, &out, &self_, &error);
    check(extension_, "create", status, error);
}

Transform::~Transform() {
    table_->destroy(self_);
}

void Transform::push(const td_packet& packet) {
    td_error error = empty_error();
    check(extension_, "push", table_->push(self_, &packet, &error), error);
}

void Transform::flush() {
    td_error error = empty_error();
    check(extension_, "flush", table_->push(self_, nullptr, &error), error);
}

}  // namespace tapedeck::host
