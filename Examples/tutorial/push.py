#!/usr/bin/env python3
"""Push random values of two metrics to a push gateway, as a job that runs now and then would.

    pip install prometheus_client
    ./push.py --gateway localhost:9091 --times 10 --every 1

With --check, everything that prometheus_client offers for push gateways is tried once, and the values that were
pushed are printed as JSON, for the test that runs this script.
"""
import argparse
import json
import random
import ssl
import sys
import time
import urllib.request

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client import delete_from_gateway, instance_ip_grouping_key, push_to_gateway, pushadd_to_gateway
from prometheus_client.exposition import basic_auth_handler, default_handler

JOB = 'tutorial'


def handler_for(options):
    """How requests are sent: plainly, with a password, or over TLS with an authority of our own."""
    if options.user:
        def with_password(url, method, timeout, headers, data):
            return basic_auth_handler(url, method, timeout, headers, data, options.user, options.password)
        return with_password
    if options.ca:
        context = ssl.create_default_context(cafile=options.ca)
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))

        def over_tls(url, method, timeout, headers, data):
            def send():
                request = urllib.request.Request(url, data=data)
                request.get_method = lambda: method
                for key, value in headers:
                    request.add_header(key, value)
                answer = opener.open(request, timeout=timeout)
                if answer.code >= 400:
                    raise OSError(f'error talking to pushgateway: {answer.code} {answer.msg}')
            return send
        return over_tls
    return default_handler


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--gateway', default='localhost:9091', help='host and port, or a URL')
    parser.add_argument('--times', type=int, default=10)
    parser.add_argument('--every', type=float, default=1.0, metavar='SECONDS')
    parser.add_argument('--user')
    parser.add_argument('--password', default='')
    parser.add_argument('--ca', help='certificate that the gateway is trusted by')
    parser.add_argument('--check', action='store_true')
    options = parser.parse_args()
    handler = handler_for(options)

    registry = CollectorRegistry()
    first = Gauge('test_metric_1', 'A random number.', registry=registry)
    second = Gauge('test_metric_2', 'Another random number.', registry=registry)
    pushed = []
    for round_number in range(options.times):
        if round_number:
            time.sleep(options.every)
        first.set(random.randint(0, 100))
        second.set(random.random())
        push_to_gateway(options.gateway, job=JOB, registry=registry, handler=handler)
        pushed.append([first._value.get(), second._value.get()])

    if options.check:
        extra = CollectorRegistry()
        Gauge('test_metric_3', 'Added beside the others.', registry=extra).set(3)
        pushadd_to_gateway(options.gateway, job=JOB, registry=extra, handler=handler)
        key = instance_ip_grouping_key()
        push_to_gateway(options.gateway, job='by_address', registry=extra, grouping_key=key, handler=handler)
        slashes = {'path': '/var/tmp', 'empty': ''}
        push_to_gateway(options.gateway, job='to_be_deleted', registry=extra, grouping_key=slashes, handler=handler)
        delete_from_gateway(options.gateway, job='to_be_deleted', grouping_key=slashes, handler=handler)
        json.dump({'pushed': pushed, 'address': key['instance']}, sys.stdout)
        print()
    else:
        print(f'pushed {options.times} times to {options.gateway}')


if __name__ == '__main__':
    main()
