#pragma once
// librdkafka's objects, each freed by its owner.

#include <librdkafka/rdkafka.h>

#include <memory>

namespace kafka {

template <auto destroy>
struct Destroy {
  template <class T>
  void operator()(T* object) const {
    destroy(object);
  }
};

// Without the consumer's farewell to its group: partitions are assigned by hand, there is none.
inline void destroy_client(rd_kafka_t* client) {
  rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

using HandlePtr = std::unique_ptr<rd_kafka_t, Destroy<destroy_client>>;
using ConfPtr = std::unique_ptr<rd_kafka_conf_t, Destroy<rd_kafka_conf_destroy>>;
using QueuePtr = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
using MessagePtr = std::unique_ptr<rd_kafka_message_t, Destroy<rd_kafka_message_destroy>>;
using ErrorPtr = std::unique_ptr<rd_kafka_error_t, Destroy<rd_kafka_error_destroy>>;
using HeadersPtr = std::unique_ptr<rd_kafka_headers_t, Destroy<rd_kafka_headers_destroy>>;
using PartitionListPtr = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                         Destroy<rd_kafka_topic_partition_list_destroy>>;
using MetadataPtr =
    std::unique_ptr<const struct rd_kafka_metadata, Destroy<rd_kafka_metadata_destroy>>;
using TopicPtr = std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_destroy>>;
using GroupMetadataPtr = std::unique_ptr<rd_kafka_consumer_group_metadata_t,
                                         Destroy<rd_kafka_consumer_group_metadata_destroy>>;

}  // namespace kafka
