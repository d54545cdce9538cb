
Ö
É
"
telemetry.sdk.language
python
%
telemetry.sdk.name
opentelemetry
!
telemetry.sdk.version
1.45.2
=
service.instance.id&
$34743976-1206-4e0a-a7ec-24ccaeace300

service.name

captures‡
1
'opentelemetry.instrumentation.langchain0.62.4t*-2+
)
content
You are a helpful assistant.2#
gen_ai.provider.name
	langchainY©Jdóƒêbgen_ai.system.message\*2

content
ERR4292#
gen_ai.provider.name
	langchainYS¼Kdóƒêbgen_ai.user.message