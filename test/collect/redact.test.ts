import { describe, expect, it } from 'vitest';
import { redactObject } from '../../src/collect/redact.ts';

describe('redactObject', () => {
  const pod = {
    metadata: {
      name: 'web',
      labels: { app: 'web', env: 'prod', envFrom: 'x' },
      managedFields: [{ manager: 'kubectl' }],
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': '{"password":"hunter2"}',
        'example.com/token': 'hunter2',
        'flannel.alpha.coreos.com/public-ip': '192.168.1.11',
        'projectcalico.org/IPv4Address': '10.0.0.1/24',
      },
    },
    spec: {
      imagePullSecrets: [{ name: 'registry' }],
      containers: [
        {
          name: 'c',
          image: 'i',
          env: [{ name: 'PASSWORD', value: 'hunter2' }],
          envFrom: [{ secretRef: { name: 's' } }],
          ports: [{ containerPort: 80 }],
        },
      ],
      initContainers: [{ name: 'i', env: [{ name: 'PASSWORD', value: 'hunter2' }] }],
    },
  };

  it('takes out what may be secret, at any depth', () => {
    const text = JSON.stringify(redactObject({ items: [pod], template: { pod } }));
    expect(text).not.toMatch(/hunter2|managedFields|registry|secretRef|PASSWORD/);
  });

  it('keeps what a diagnosis rests on: labels and selectors whatever their names, addresses, ports', () => {
    expect(redactObject(pod)).toEqual({
      metadata: {
        name: 'web',
        labels: { app: 'web', env: 'prod', envFrom: 'x' },
        annotations: { 'flannel.alpha.coreos.com/public-ip': '192.168.1.11', 'projectcalico.org/IPv4Address': '10.0.0.1/24' },
      },
      spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }] }], initContainers: [{ name: 'i' }] },
    });
    const service = { spec: { selector: { env: 'prod' }, ports: [{ port: 80 }] } };
    expect(redactObject(service)).toEqual(service);
    const policy = {
      spec: { podSelector: { matchLabels: { env: 'prod' }, matchExpressions: [{ key: 'env', operator: 'In', values: ['prod'] }] } },
    };
    expect(redactObject(policy)).toEqual(policy);
  });

  it('leaves the object that it was given as it was', () => {
    const before = structuredClone(pod);
    redactObject(pod);
    expect(pod).toEqual(before);
  });
});
