// A td_file in memory that can refuse, fail and stop at chosen calls, for the tests of writers and readers.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tapedeck/abi.h"

namespace tapedeck::testkit {

/// The calls of td_file_table.
enum class Call { write, read, length, truncate, insert, copy, sync, rewrite };

/// Blocks of 4096 bytes by number; blocks of zeros take no memory, so a file may seem terabytes long. Not thread-safe.
class MemoryFile : public td_file {
public:
    static constexpr std::uint64_t block_size = 4096;

    MemoryFile() { table = &functions(); }
    explicit MemoryFile(std::span<const std::uint8_t> contents) : MemoryFile() { put(0, contents); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    std::uint64_t size() const { return size_; }
    std::vector<std::uint8_t> contents() const { return contents(0, size_); }
    /// What lies there, shorter at the end of the file.
    std::vector<std::uint8_t> contents(std::uint64_t at, std::uint64_t count) const {
        std::vector<std::uint8_t> result(at >= size_ ? 0 : std::min(count, size_ - at));
        get(at, result);
        return result;
    }
    /// Changes the file behind its user's back: not counted, never failing.
    void put(std::uint64_t at, std::span<const std::uint8_t> bytes) {
        size_ = std::max(size_, at + bytes.size());
        for (std::size_t done = 0; done < bytes.size();) {
            const auto offset = (at + done) % block_size;
            const auto part = bytes.subspan(done, std::min(bytes.size() - done, block_size - offset));
            auto& block = blocks_[(at + done) / block_size];
            const auto is_zero = [](std::uint8_t byte) { return byte == 0; };
            if (!block && !std::ranges::all_of(part, is_zero)) block = std::make_unique<Block>();
            if (block)
                std::memcpy(block->data() + offset, part.data(), part.size());
            else
                blocks_.erase((at + done) / block_size);
            done += part.size();
        }
    }
    void resize(std::uint64_t bytes) {
        if (bytes < size_) {
            blocks_.erase(blocks_.lower_bound((bytes + block_size - 1) / block_size), blocks_.end());
            if (const auto last = blocks_.find(bytes / block_size); last != blocks_.end())
                std::fill(last->second->begin() + static_cast<std::ptrdiff_t>(bytes % block_size), last->second->end(),
                          std::uint8_t{0});
        }
        size_ = bytes;
    }

    /// The call answers TD_UNSUPPORTED from now on, as a file system without it does.
    void unsupported(Call call, bool on = true) { at(call).unsupported = on; }
    /// The `nth` call from now (1: the next) fails with `status`, `times` in a row.
    void fail(Call call, unsigned nth, td_status status, unsigned times = 1) {
        at(call).fail_from = at(call).count + nth;
        at(call).fail_until = at(call).fail_from + times;
        at(call).status = status;
    }
    /// As a crash: after `writes` more calls that change the file, the next one writes only its first `torn` bytes, and
    /// from then on every call fails with TD_FAILED.
    void crash_after(std::uint64_t writes, std::uint64_t torn = 0) {
        crash_at_ = changes_ + writes;
        torn_ = torn;
    }
    bool crashed() const { return crashed_; }
    /// After a crash or for a second life: no refusal, no failure is left.
    void heal() {
        calls_ = {};
        crash_at_ = UINT64_MAX;
        crashed_ = false;
    }

    /// How often a call was made, refused ones included, and how many calls changed the file.
    std::uint64_t calls(Call call) const { return calls_[static_cast<std::size_t>(call)].count; }
    std::uint64_t changes() const { return changes_; }
    /// Bytes that `write` and `copy` put into this file and into its rewrites; `insert` moves nothing.
    std::uint64_t bytes_written() const { return written_ + (fresh_ ? fresh_->bytes_written() : 0); }
    /// The file made by `rewrite`, or null.
    MemoryFile* fresh() { return fresh_.get(); }
    /// What the host does when `finish` succeeded: a rewritten file takes this one's place, unless it is empty.
    void finish() {
        if (!fresh_ || fresh_->size() == 0) return;
        blocks_ = std::move(fresh_->blocks_);
        size_ = fresh_->size_;
        written_ += fresh_->bytes_written();
        fresh_.reset();
    }

private:
    using Block = std::array<std::uint8_t, block_size>;
    struct Plan {
        std::uint64_t count = 0, fail_from = 0, fail_until = 0;
        td_status status = TD_FAILED;
        bool unsupported = false;
    };

    static MemoryFile& self(td_file* file) { return *static_cast<MemoryFile*>(file); }
    Plan& at(Call call) { return calls_[static_cast<std::size_t>(call)]; }

    void get(std::uint64_t at, std::span<std::uint8_t> into) const {
        for (std::size_t done = 0; done < into.size();) {
            const auto offset = (at + done) % block_size;
            const auto count = std::min<std::size_t>(into.size() - done, block_size - offset);
            const auto block = blocks_.find((at + done) / block_size);
            if (block == blocks_.end())
                std::memset(into.data() + done, 0, count);
            else
                std::memcpy(into.data() + done, block->second->data() + offset, count);
            done += count;
        }
    }
    static td_status refuse(td_error* error, td_status status, std::string_view text) {
        if (error != nullptr) {
            *error = {sizeof(td_error), status, 0, {}};
            text.copy(error->text, sizeof error->text - 1);
        }
        return status;
    }
    /// Counts the call and answers what is planned for it.
    td_status enter(Call call, td_error* error) {
        auto& plan = at(call);
        ++plan.count;
        if (crashed_) return refuse(error, TD_FAILED, "the test's file has crashed");
        if (plan.unsupported) return refuse(error, TD_UNSUPPORTED, "not offered by the test's file");
        if (plan.count >= plan.fail_from && plan.count < plan.fail_until)
            return refuse(error, plan.status, "the test's file fails this call");
        return TD_OK;
    }
    /// Counts a change; true when it is the one that the crash tears.
    bool crashes() { return crashed_ = changes_++ >= crash_at_; }

    td_status write(std::uint64_t at, std::span<const td_bytes> spans, td_error* error) {
        if (const auto status = enter(Call::write, error); status != TD_OK) return status;
        const bool torn = crashes();
        std::uint64_t room = torn ? torn_ : UINT64_MAX;
        for (const auto& span : spans) {
            const std::span bytes(span.data, std::min<std::uint64_t>(span.size, room));
            put(at, bytes);
            at += bytes.size();
            room -= bytes.size();
            written_ += bytes.size();
        }
        return torn ? refuse(error, TD_FAILED, "the test's file has crashed") : TD_OK;
    }
    td_status insert(std::uint64_t at, std::uint64_t count, td_error* error) {
        if (const auto status = enter(Call::insert, error); status != TD_OK) return status;
        if (at % block_size != 0 || count % block_size != 0 || at >= size_)
            return refuse(error, TD_MALFORMED, "insert needs whole blocks inside the file");
        if (crashes()) return refuse(error, TD_FAILED, "the test's file has crashed");
        std::map<std::uint64_t, std::unique_ptr<Block>> moved;
        while (!blocks_.empty() && blocks_.rbegin()->first >= at / block_size) {
            auto node = blocks_.extract(std::prev(blocks_.end()));
            node.key() += count / block_size;
            moved.insert(std::move(node));
        }
        blocks_.merge(moved);
        size_ += count;
        return TD_OK;
    }
    td_status copy(std::uint64_t at, td_file* from, std::uint64_t from_at, std::uint64_t count, td_error* error) {
        if (const auto status = enter(Call::copy, error); status != TD_OK) return status;
        const bool torn = crashes();
        if (torn) count = std::min(count, torn_);
        std::vector<std::uint8_t> part(std::min<std::uint64_t>(count, 1 << 20));
        for (std::uint64_t done = 0; done < count;) {
            std::size_t got = 0;
            const auto size = std::min<std::uint64_t>(part.size(), count - done);
            if (const auto status = from->table->read(from, from_at + done, part.data(), size, &got, error);
                status != TD_OK)
                return status;
            if (got == 0) return refuse(error, TD_FAILED, "copy reaches past the end of its source");
            put(at + done, std::span(part.data(), got));
            written_ += got;
            done += got;
        }
        return torn ? refuse(error, TD_FAILED, "the test's file has crashed") : TD_OK;
    }

    static const td_file_table& functions() {
        static constexpr td_file_table table{
            sizeof(td_file_table),
            0,
            [](td_file* file, std::uint64_t at, const td_bytes* spans, size_t count, td_error* error) {
                return self(file).write(at, std::span(spans, count), error);
            },
            [](td_file* file, std::uint64_t at, std::uint8_t* into, size_t size, size_t* got, td_error* error) {
                if (const auto status = self(file).enter(Call::read, error); status != TD_OK) return status;
                const auto length = self(file).size_;
                *got = at >= length ? 0 : std::min<std::uint64_t>(size, length - at);
                self(file).get(at, std::span(into, *got));
                return td_status{TD_OK};
            },
            [](td_file* file, std::uint64_t* bytes, td_error* error) {
                const auto status = self(file).enter(Call::length, error);
                if (status == TD_OK) *bytes = self(file).size_;
                return status;
            },
            [](td_file* file, std::uint64_t bytes, td_error* error) {
                if (const auto status = self(file).enter(Call::truncate, error); status != TD_OK) return status;
                if (self(file).crashes()) return refuse(error, TD_FAILED, "the test's file has crashed");
                self(file).resize(bytes);
                return td_status{TD_OK};
            },
            [](td_file* file, std::uint64_t at, std::uint64_t count, td_error* error) {
                return self(file).insert(at, count, error);
            },
            [](td_file* file, std::uint64_t at, td_file* from, std::uint64_t from_at, std::uint64_t count,
               td_error* error) { return self(file).copy(at, from, from_at, count, error); },
            [](td_file* file, td_error* error) { return self(file).enter(Call::sync, error); },
            [](td_file* file, td_file** fresh, td_error* error) {
                if (const auto status = self(file).enter(Call::rewrite, error); status != TD_OK) return status;
                self(file).fresh_ = std::make_unique<MemoryFile>();
                *fresh = self(file).fresh_.get();
                return td_status{TD_OK};
            }};
        return table;
    }

    std::map<std::uint64_t, std::unique_ptr<Block>> blocks_;
    std::uint64_t size_ = 0, changes_ = 0, written_ = 0, crash_at_ = UINT64_MAX, torn_ = 0;
    std::array<Plan, 8> calls_{};
    std::unique_ptr<MemoryFile> fresh_;
    bool crashed_ = false;
};

}  // namespace tapedeck::testkit
