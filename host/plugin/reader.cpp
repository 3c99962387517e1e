#include "plugin/reader.hpp"

#include <fmt/format.h>

#include "plugin/host_table.hpp"

namespace tapedeck::host {
namespace {

const td_reader* reader_table(const Extension& extension) {
    return static_cast<const td_reader*>(extension.declared->table);
}

}  // namespace

Reader::Reader(const Extension& extension, td_file& file) : extension_(extension), table_(reader_table(extension)) {
    td_error error = empty_error();
    check(extension_, "open", table_->create(&host_table(), extension_.context, &file, &self_, &error), error);
}

Reader::~Reader() {
    table_->destroy(self_);
}

std::string Reader::file_extension(const Extension& extension) {
    return reader_table(extension)->extension;
}

bool Reader::cuts(const Extension& extension) {
    return offered(reader_table(extension), &td_reader::cut) != nullptr;
}

void Reader::cut(std::int64_t from_us, std::int64_t to_us, bool exact, td_file& target) {
    const auto function = offered(table_, &td_reader::cut);
    if (function == nullptr)
        throw Error(fmt::format("reader {}: cut: its files cannot be cut", extension_.id), TD_UNSUPPORTED);
    td_error error = empty_error();
    check(extension_, "cut", function(self_, from_us, to_us, exact ? TD_CUT_EXACT : 0, &target, &error), error);
}

void Reader::inspect(td_file& json) {
    const auto function = offered(table_, &td_reader::inspect);
    if (function == nullptr)
        throw Error(fmt::format("reader {}: inspect: it does not look into files", extension_.id), TD_UNSUPPORTED);
    td_error error = empty_error();
    check(extension_, "inspect", function(self_, &json, &error), error);
}

}  // namespace tapedeck::host
