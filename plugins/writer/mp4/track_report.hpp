// What is known of the tracks of a file, as JSON (the specification's R120 and R121).
#pragma once

#include <string>

#include "movie_index.hpp"

namespace tapedeck::mp4 {

/// An array with an object for each track; every value is a text. The edits of a track are a pause, where it begins
/// late, and its media.
std::string track_report(const MovieIndex& index);

}  // namespace tapedeck::mp4
